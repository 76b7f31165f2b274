import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderByScore } from '../../../src/policy/slate-order.ts';
import { toSlateRecord } from '../../../src/policy/slate-record.ts';

const order = (scores: readonly number[], limit?: number): number[] => [...orderByScore(Float32Array.from(scores), limit)];

describe('orderByScore', () => {
  it('puts the highest score first', () => expect(order([0.1, 3, -2, 1])).toEqual([1, 3, 0, 2]));
  it('gives ties to the server', () => expect(order([1, 2, 1, 2, 1])).toEqual([1, 3, 0, 2, 4]));
  it('keeps candidates without a score where they were', () => expect(order([NaN, 1, NaN, 3, 2])).toEqual([0, 3, 2, 4, 1]));
  it('keeps the server’s order without any score', () => expect(order([NaN, NaN, NaN])).toEqual([0, 1, 2]));
  it('takes what is best, not what comes first, up to the limit', () => expect(order([1, 2, 3, 4], 2)).toEqual([3, 2]));

  it('is a permutation, cut to the limit, with scored places in order of score', () => {
    const score = fc.oneof(fc.constant(NaN), fc.float({ noDefaultInfinity: true, noNaN: true }));
    fc.assert(
      fc.property(fc.array(score, { maxLength: 60 }), fc.integer({ min: 0, max: 70 }), (scores, limit) => {
        const all = order(scores);
        expect(all.toSorted((a, b) => a - b)).toEqual(scores.map((_, at) => at));
        expect(order(scores, limit)).toEqual(all.slice(0, limit));
        all.forEach((position, place) => expect(Number.isNaN(scores[place])).toBe(Number.isNaN(scores[position]) && position === place));
        const ranked = all.filter((position) => !Number.isNaN(scores[position])).map((position) => Math.fround(scores[position]!));
        expect(ranked).toEqual(ranked.toSorted((a, b) => b - a));
      }),
    );
  });
});

describe('toSlateRecord', () => {
  it('says what was shown, from which server positions, for certain', () => {
    const shown = { id: 's', partition: 'p', time: 5, packRevision: 'r', itemIds: ['a', 'b', 'c'], order: Int32Array.of(2, 0) };
    expect(toSlateRecord(shown)).toEqual({ id: 's', partition: 'p', time: 5, packRevision: 'r', seed: 0, shown: ['c', 'a'], serverPositions: [2, 0], propensities: [1, 1] });
  });
});
