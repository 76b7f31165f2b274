import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/lib/random.ts';
import { createBaskets } from '../../../src/rank/simple/baskets.ts';
import { createBilinearText, fitBilinearText, type BilinearText } from '../../../src/rank/simple/bilinear-text.ts';
import type { SessionContext } from '../../../src/rank/simple/simple-ranker.ts';

const past = (...sessions: number[][]) => createBaskets(sessions.map((items, time) => ({ user: time, time, items })));
const context = (...items: number[]): SessionContext => ({ session: items.map((item) => ({ item, weight: 1 })), history: [], now: 100 });
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5) as number);

function scores(fit: BilinearText, asked: SessionContext): number[] {
  const out = new Float32Array(fit.vectors.length / Math.sqrt(fit.weights.length)).fill(99);
  createBilinearText(fit).score(asked, out);
  return Array.from(out);
}

describe('bilinear text', () => {
  it('has the weight reckoned by hand in one dimension', () => {
    // Vectors 1 and -1 are centred already. Pair 0 -> 1: UᵀU = 1, UᵀYV = -1, VᵀV = 2; with ridges of once the diagonal W = -1 / (2 · 4).
    const fit = fitBilinearText(past([0, 1]), Float32Array.of(1, -1), 1, { sessionRidge: 1, itemRidge: 1 });
    expect(Array.from(fit.weights)).toEqual(close([-1 / 8]));
    expect(scores(fit, context(0))).toEqual(close([0, 1 / 8]));
    expect(scores(fit, context(1))).toEqual(close([1 / 8, 0]));
  });

  it('solves (UᵀU + γI) W (VᵀV + λI) = UᵀYV', () => {
    const random = createRandom(3);
    const [items, d] = [7, 3];
    const vectors = Float32Array.from({ length: items * d }, () => random.normal());
    const { weights, vectors: v } = fitBilinearText(past([0, 1], [2, 3], [4, 5], [6, 0]), vectors, d, { sessionRidge: 0.5, itemRidge: 0.25 });
    const row = (item: number) => Array.from(v.subarray(item * d, (item + 1) * d));
    const outer = (pairs: number[][][]) =>
      Array.from({ length: d * d }, (_, at) => pairs.reduce((sum, [left, right]) => sum + left![Math.floor(at / d)]! * right![at % d]!, 0));
    const ridged = (matrix: number[], ridge: number) => {
      const mean = [0, 1, 2].reduce((sum, k) => sum + matrix[k * d + k]!, 0) / d;
      return matrix.map((value, at) => (at % (d + 1) === 0 ? value + ridge * mean : value));
    };
    const times = (left: number[], right: number[]) =>
      Array.from({ length: d * d }, (_, at) => [0, 1, 2].reduce((sum, k) => sum + left[Math.floor(at / d) * d + k]! * right[k * d + (at % d)]!, 0));
    const pairs = [[0, 1], [2, 3], [4, 5], [6, 0]].map((pair) => pair.map(row));
    const u = ridged(outer(pairs.map(([first]) => [first!, first!])), 0.5);
    const c = ridged(outer(Array.from({ length: items }, (_, item) => [row(item), row(item)])), 0.25);
    expect(times(times(u, Array.from(weights)), c)).toEqual(outer(pairs).map((value) => expect.closeTo(value, 4) as number));
  });

  it('scores an item that nobody has taken by its text alone', () => {
    // Dimension 0: what is read; 1: what follows. Item 4 reads like items 1 and 3, and no session has it.
    const vectors = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1, 0, 1, -2, -3);
    const fit = fitBilinearText(past([0, 1], [2, 3], [0, 3]), vectors, 2, { sessionRidge: 0.01, itemRidge: 0.01 });
    const got = scores(fit, context(0));
    expect(got[4]).toBe(got[1]);
    expect(got[4]).toBeGreaterThan(got[2]!);
  });

  it('reads the last items only, by their weights', () => {
    const vectors = Float32Array.of(1, 0, 0, 1, -1, 1, 2, -2);
    const fit = fitBilinearText(past([0, 1, 2, 3], [1, 3]), vectors, 2, { last: 2 });
    expect(scores(fit, context(3, 0, 1))).toEqual(scores(fit, context(0, 1)));
    const weighted = scores(fit, { ...context(), session: [{ item: 0, weight: 2 }, { item: 1, weight: 0 }] });
    expect(weighted).toEqual(close(scores(fit, context(0))));
  });

  it('is finite, not below 0 and deaf to unknown items, with texts missing or all alike', () => {
    const anItem = fc.nat(4);
    const someVectors = fc.array(fc.constantFrom(0, 0, 1, -1, 0.5), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(fc.array(fc.array(anItem, { minLength: 2, maxLength: 6 }), { minLength: 1, maxLength: 6 }), someVectors, fc.array(anItem, { maxLength: 5 }), (learnt, vectors, asked) => {
        const fit = fitBilinearText(past(...learnt), Float32Array.from(vectors), 3);
        const first = scores(fit, context(...asked));
        expect(first.every((score) => Number.isFinite(score) && score >= 0)).toBe(true);
        expect(scores(fit, context(-1, ...asked, 5))).toEqual(first);
      }),
    );
  });

  it('refuses vectors of another width and logs without pairs', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error;
    expect(() => fitBilinearText(past([0, 1]), new Float32Array(5), 2)).toThrow(invalid);
    expect(() => fitBilinearText(past([0], [1]), new Float32Array(4), 2)).toThrow(invalid);
  });
});
