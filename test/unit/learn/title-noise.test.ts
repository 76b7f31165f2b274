// Distortions that `npm run bench -- helps` tries.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distortTitle, replaceVectors, synonymsByVector } from '../../../bench/helps/title-noise.ts';
import { createRandom } from '../../../src/lib/random.ts';

const NONE = { typos: 0, drop: 0, synonyms: 0 };

describe('title noise', () => {
  test('without a chance a title stays', () => {
    expect(distortTitle('white hanging heart', createRandom(1), NONE)).toBe('white hanging heart');
  });

  test('a typing error is one edit in each long word', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (seed) => {
        const [first = '', second = ''] = distortTitle('hanging red', createRandom(seed), { ...NONE, typos: 1 }).split(' ');
        expect(second).toBe('red');
        expect(Math.abs(first.length - 'hanging'.length)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('something is always left', () => {
    expect(distortTitle('white heart', createRandom(1), { ...NONE, drop: 1 })).toBe('white');
    expect(distortTitle('', createRandom(1), { typos: 1, drop: 1, synonyms: 1 })).toBe('');
  });

  test('a word with a synonym is replaced by the nearest words of the catalogue', () => {
    const synonymsOf = synonymsByVector(['cup', 'mug', 'lamp'], Float32Array.of(1, 0, 0.8, 0.6, 0, 1), 2);
    expect(synonymsOf('cup')).toEqual(['mug']);
    expect(synonymsOf('unknown')).toEqual([]);
    expect(distortTitle('Cup of tea', createRandom(1), { ...NONE, synonyms: 1 }, synonymsOf)).toBe('mug of tea');
  });

  test('a share of the items has the vector of one of its own noisy titles, the others their own', () => {
    const [items, dimensions] = [400, 3];
    const vectorsOf = (sign: number): Float32Array => Float32Array.from({ length: items * dimensions }, (_, at) => sign * at + sign);
    const mixed = replaceVectors(vectorsOf(1), [vectorsOf(-1), vectorsOf(-2)], dimensions, 0.3, createRandom(1));
    const factors = Array.from({ length: items }, (_, item) => [0, 1, 2].map((k) => mixed[item * dimensions + k]! / (item * dimensions + k + 1)));
    factors.forEach(([first, ...others]) => expect([...others, 1, -1, -2]).toEqual([first, first, ...[1, -1, -2]]));
    const shares = [1, -1, -2].map((factor) => factors.filter(([first]) => first === factor).length / items);
    expect(shares[0]).toBeCloseTo(0.7, 1);
    expect(shares[1]).toBeCloseTo(0.15, 1);
    expect(shares[0]! + shares[1]! + shares[2]!).toBe(1);
  });
});
