import { describe, expect, it } from 'vitest';
import type { SeriesScores } from '../../../src/forecast/demand-evaluation.ts';
import { applyGate, applyGateToScores, gateDemand } from '../../../src/forecast/demand-gate.ts';
import { createRandom } from '../../../src/lib/random.ts';

/** Errors of one origin: MASE and RMSSE alike. */
const scoresOf = (errors: readonly number[]): SeriesScores => {
  const column = Float64Array.from(errors);
  return { mase: column, rmsse: column, bias: column, smape: column, coverage80: column, pinball: column };
};

const ORIGINS = 6;

/** Gate of ours, whose error is 1 - gain and noise, beside a simple method whose error is 1. */
function gateOf(gains: readonly number[], noise: number, seed: number): readonly boolean[] {
  const random = createRandom(seed);
  const ours = Array.from({ length: ORIGINS }, () => scoresOf(gains.map((gain) => 1 - gain + noise * random.normal())));
  return gateDemand(gains.length, ours, new Map([['simple', Array.from({ length: ORIGINS }, () => scoresOf(gains.map(() => 1)))]])).on;
}

const countOff = (on: readonly boolean[]): number => on.filter((open) => !open).length;

describe('the gate', () => {
  it('is shut for the series that lose and open for those that gain', () => {
    const gains = Array.from({ length: 60 }, (_, row) => (row % 3 === 0 ? -0.4 : 0.2));
    expect(gateOf(gains, 0.05, 1)).toEqual(gains.map((gain) => gain > 0));
  });

  it('is not flipped by noise: where all gain alike, the unlucky ones stay open', () => {
    // The noise of a series' mean over six origins is three times the gain: by their own means, a third of the series would be shut.
    for (const seed of [1, 2, 3]) expect(countOff(gateOf(new Array<number>(300).fill(0.05), 0.35, seed))).toBeLessThan(20);
  });

  it('is shut where none gains, for nearly all', () => {
    for (const seed of [1, 2, 3]) expect(countOff(gateOf(new Array<number>(300).fill(-0.05), 0.35, seed))).toBeGreaterThan(280);
  });

  it('asks a series alone for more than one standard error', () => {
    expect(gateOf([0.2], 0.05, 1)).toEqual([true]);
    expect(gateOf([-0.2], 0.05, 1)).toEqual([false]);
    const opened = Array.from({ length: 200 }, (_, seed) => gateOf([0], 0.3, seed + 1)[0]!).filter((open) => open).length;
    expect(opened).toBeLessThan(60);
  });

  it('takes no median for an expected value', () => {
    const ours = [scoresOf([2, 2]), scoresOf([2, 2])];
    const simple = new Map([['28-day median', [scoresOf([1, 1]), scoresOf([1, 1])]], ['28-day mean', [scoresOf([1.5, 1.5]), scoresOf([1.5, 1.5])]]]);
    expect(gateDemand(ours[0]!.mase.length, ours, simple).fallback).toEqual({ median: '28-day median', mean: '28-day mean' });
  });

  it('falls back to the best median and the best mean of the simple methods', () => {
    const ours = [scoresOf([2, 1]), scoresOf([2, 1])];
    const flat = (mase: number, rmsse: number): SeriesScores => ({ ...scoresOf([mase, mase]), rmsse: Float64Array.of(rmsse, rmsse) });
    const simple = new Map([['a', [flat(1.5, 1.9), flat(1.5, 1.9)]], ['b', [flat(1.7, 1.2), flat(1.7, 1.2)]]]);
    const gate = gateDemand(ours[0]!.mase.length, ours, simple);
    expect(gate).toEqual({ on: [false, true], fallback: { median: 'a', mean: 'b' }, origins: 2 });

    const said = (value: number) => ({ mean: [value], median: [value + 1], low: [value - 1], high: [value + 2] });
    const answers = applyGate(gate, [said(10), said(20)], new Map([['a', [said(30), said(40)]], ['b', [said(50), said(60)]]]));
    expect(answers).toEqual([{ mean: [50], median: [31], low: [29], high: [32] }, said(20)]);
    const scores = applyGateToScores(gate, ours[0]!, new Map([['a', simple.get('a')![0]!], ['b', simple.get('b')![0]!]]));
    expect([Array.from(scores.mase), Array.from(scores.rmsse)]).toEqual([[1.5, 1], [1.2, 1]]);
  });

  it('judges nothing by one origin, and nothing of series without figures', () => {
    const once = gateDemand(1, [scoresOf([9])], new Map([['simple', [scoresOf([1])]]]));
    expect(once).toEqual({ on: [true], fallback: null, origins: 0 });
    const none = gateDemand(1, [scoresOf([NaN]), scoresOf([NaN])], new Map([['simple', [scoresOf([NaN]), scoresOf([NaN])]]]));
    expect(none.fallback).toBeNull();
    expect(gateDemand(2, [], new Map([['simple', []]]))).toEqual({ on: [true, true], fallback: null, origins: 0 });
  });

  it('gives a series without figures what all have in common', () => {
    const ours = [scoresOf([0.5, 0.52, NaN]), scoresOf([0.52, 0.5, NaN])];
    const simple = new Map([['simple', [scoresOf([1, 1, NaN]), scoresOf([1, 1, NaN])]]]);
    expect(gateDemand(ours[0]!.mase.length, ours, simple).on).toEqual([true, true, true]);
  });
});
