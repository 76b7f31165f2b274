import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/lib/random.ts';
import { distortTitle, synonymsByVector } from '../../../src/learn/title-noise.ts';

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
});
