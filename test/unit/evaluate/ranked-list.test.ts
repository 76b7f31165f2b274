import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankList } from '../../../src/evaluate/ranked-list.ts';
import { auc } from '../../../src/evaluate/score-metrics.ts';

const all = (items: number): Uint8Array => new Uint8Array(items).fill(1);

describe('ranking of one list', () => {
  it('is the sorted list of the allowed items, ties by popularity and then by index', () => {
    const item = fc.record({ score: fc.integer({ min: 0, max: 4 }), tie: fc.nat(2), allowed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 30 }), fc.nat(29), fc.integer({ min: 1, max: 12 }), (items, drawn, depth) => {
        const target = drawn % items.length;
        const scores = Float32Array.from(items, ({ score }) => score);
        const ties = Float32Array.from(items, ({ tie }) => tie);
        const allowed = Uint8Array.from(items, (one, at) => (one.allowed || at === target ? 1 : 0));
        const sorted = [...items.keys()].filter((at) => allowed[at] === 1).sort((a, b) => scores[b]! - scores[a]! || ties[b]! - ties[a]! || a - b);
        const ranked = rankList(scores, { allowed, ties, target, depth, probability: 'share' });
        expect([...ranked.first]).toEqual(sorted.slice(0, depth));
        const expected = auc(sorted.map((at) => scores[at]!), sorted.map((at) => at === target));
        expect(ranked.auc).toBeCloseTo(sorted.length === 1 ? 0.5 : expected, 10);
      }),
    );
  });

  it('takes the first place as certain as its soft-max, or its share of the scores', () => {
    const scores = Float32Array.of(Math.log(2), Math.log(6), Math.log(1));
    const options = { allowed: Uint8Array.of(1, 1, 0), ties: new Float32Array(3), target: 0, depth: 2 };
    expect(rankList(scores, { ...options, probability: 'softmax' }).confidence).toBeCloseTo(6 / 8, 6);
    expect(rankList(Float32Array.of(2, 6, 9), { ...options, probability: 'share' }).confidence).toBeCloseTo(6 / 8, 6);
    expect(rankList(new Float32Array(3), { ...options, probability: 'share' }).confidence).toBe(1 / 2); // no evidence: each of two
  });

  it('says nothing of a target that is not among the candidates, and refuses scores that are no numbers', () => {
    const options = { ties: new Float32Array(3), target: 2, depth: 3, probability: 'share' } as const;
    expect(rankList(Float32Array.of(1, 2, 3), { ...options, allowed: Uint8Array.of(1, 1, 0) })).toMatchObject({ first: Int32Array.of(1, 0), auc: 0.5 });
    expect(() => rankList(Float32Array.of(1, NaN, 3), { ...options, allowed: all(3) })).toThrow(/no number/);
  });
});
