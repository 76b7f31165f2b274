import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/lib/random.ts';
import { createBaskets } from '../../../src/rank/simple/baskets.ts';
import { createEase, EASE_ITEMS, fitEase, largestWeights } from '../../../src/rank/simple/ease.ts';
import { invertPositiveDefinite } from '../../../src/rank/simple/positive-definite.ts';
import type { SessionContext } from '../../../src/rank/simple/simple-ranker.ts';

const close = (values: readonly number[], digits = 6) => values.map((value) => expect.closeTo(value, digits) as number);

describe('the inverse of a positive definite matrix', () => {
  it('is the known one', () => {
    const hilbert = Float64Array.from({ length: 9 }, (_, at) => 1 / (Math.floor(at / 3) + (at % 3) + 1));
    invertPositiveDefinite(hilbert, 3);
    expect(Array.from(hilbert)).toEqual(close([9, -36, 30, -36, 192, -180, 30, -180, 180]));
    const one = Float64Array.of(4);
    invertPositiveDefinite(one, 1);
    expect(Array.from(one)).toEqual([0.25]);
  });

  it('times the matrix is the identity, and reads the lower triangle only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 13 }), fc.integer(), (n, seed) => {
        const random = createRandom(seed);
        const root = Float64Array.from({ length: n * n }, () => random.normal());
        const matrix = Float64Array.from({ length: n * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return Array.from({ length: n }, (__, k) => root[i * n + k]! * root[j * n + k]!).reduce((sum, value) => sum + value, i === j ? 1 : 0);
        });
        const inverse = matrix.map((value, at) => (at % n > Math.floor(at / n) ? NaN : value));
        invertPositiveDefinite(inverse, n);
        const products = Array.from(matrix, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return Array.from({ length: n }, (__, k) => matrix[i * n + k]! * inverse[k * n + j]!).reduce((sum, value) => sum + value, i === j ? -1 : 0);
        });
        expect(Math.max(...products.map(Math.abs))).toBeLessThan(1e-8);
      }),
    );
  });

  it.each([
    ['indefinite', [1, 2, 2, 1]],
    ['singular', [1, 1, 1, 1]],
    ['not a number', [NaN, 0, 0, 1]],
  ])('is refused where the matrix is %s', (_, matrix) => {
    expect(() => invertPositiveDefinite(Float64Array.from(matrix), 2)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }) as Error);
  });
});

describe('EASE', () => {
  const basket = (user: number, ...items: number[]) => ({ user, time: user, items });
  const context = (...items: number[]): SessionContext => ({ session: items.map((item) => ({ item, weight: 1 })), history: [], now: 10 });
  function scores(weights: Float32Array, asked: SessionContext): number[] {
    const out = new Float32Array(Math.sqrt(weights.length)).fill(99);
    createEase(largestWeights(weights, out.length)).score(asked, out);
    return Array.from(out);
  }

  it('has the weights reckoned by hand', () => {
    // Items 0 and 1 of two users each, one in common: XᵀX + I = [[3, 1], [1, 3]], P = [[3, -1], [-1, 3]] / 8, so B = 1/3 off the diagonal.
    const weights = fitEase(createBaskets([basket(0, 0, 1), basket(1, 0), basket(2, 1)]), 2, { regularisation: 1 });
    expect(Array.from(weights)).toEqual(close([0, 1 / 3, 1 / 3, 0]));
  });

  it('minimises the squared error with a diagonal of 0', () => {
    // At the minimum the gradient (XᵀX + λI) B - XᵀX is 0 but for its diagonal, which holds the multipliers.
    const users = [[0, 1, 2], [0, 1], [1, 3], [2, 3, 0], [3]];
    const weights = fitEase(createBaskets(users.map((items, user) => basket(user, ...items))), 4, { regularisation: 2 });
    const gram = (i: number, j: number) => users.filter((items) => items.includes(i) && items.includes(j)).length;
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const product = [0, 1, 2, 3].reduce((sum, k) => sum + (gram(i, k) + (i === k ? 2 : 0)) * weights[k * 4 + j]!, 0);
        if (i !== j) expect(product).toBeCloseTo(gram(i, j), 5);
        else expect(weights[i * 4 + j]).toBe(0);
      }
    }
  });

  it('takes all of a user’s baskets together, each item once', () => {
    const apart = fitEase(createBaskets([basket(0, 0), basket(0, 1, 1), basket(1, 2)]), 3);
    expect(apart).toEqual(fitEase(createBaskets([basket(0, 1, 0), basket(1, 2)]), 3));
  });

  it('reads session and earlier history as one set, and nothing from now on', () => {
    const weights = fitEase(createBaskets([basket(0, 0, 1, 2), basket(1, 0, 3), basket(2, 2, 3)]), 4, { regularisation: 1 });
    const history = [0, 1].map((item) => ({ item, weight: 1, time: 9 + item }));
    expect(scores(weights, { session: [{ item: 2, weight: 1 }], history, now: 10 })).toEqual(scores(weights, context(0, 2, 2)));
  });

  it('is finite, not below 0 and deaf to unknown items', () => {
    const anItem = fc.nat(5);
    fc.assert(
      fc.property(fc.array(fc.array(anItem, { maxLength: 6 }), { maxLength: 8 }), fc.array(anItem, { maxLength: 8 }), (users, asked) => {
        const weights = fitEase(createBaskets(users.map((items, user) => basket(user, ...items))), 6, { regularisation: 0.5 });
        const first = scores(weights, context(...asked));
        expect(first.every((score) => Number.isFinite(score) && score >= 0)).toBe(true);
        expect(scores(weights, context(-1, ...asked, 6))).toEqual(first);
      }),
    );
  });

  it('keeps the weights of largest magnitude, negative ones too', () => {
    const weights = Float32Array.of(0, 0.1, -0.3, 0.2, 0.5, 0, 0.5, 0, 0, 0, 0, 0, 1, 0, 0, 0);
    const { offsets, items, weights: kept } = largestWeights(weights, 4, { limit: 2 });
    expect(Array.from(offsets)).toEqual([0, 2, 4, 4, 5]);
    expect(Array.from(items)).toEqual([2, 3, 0, 2, 0]);
    expect(Array.from(kept)).toEqual([-0.3, 0.2, 0.5, 0.5, 1].map(Math.fround));
  });

  it('refuses catalogues and regularisations that it cannot do', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error;
    expect(() => fitEase(createBaskets([]), EASE_ITEMS + 1)).toThrow(invalid);
    expect(() => fitEase(createBaskets([]), 2, { regularisation: 0 })).toThrow(invalid);
  });
});
