import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topItems } from '../../bench/top-items.ts';

describe('the best items', () => {
  it('are those a whole sort would give: by score, popularity, index; with evidence and not excluded', () => {
    const levels = fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 30 });
    fc.assert(
      fc.property(levels, fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(29)), (items, depth, excluded) => {
        const left = new Set(excluded);
        const sorted = [...items.keys()]
          .filter((item) => items[item]![0] > 0 && !left.has(item))
          .sort((a, b) => items[b]![0] - items[a]![0] || items[b]![1] - items[a]![1] || a - b);
        const [scores, popularity] = [0, 1].map((column) => Float32Array.from(items, (item) => item[column]!));
        expect(topItems(scores!, popularity!, depth, left)).toEqual(sorted.slice(0, depth));
      }),
    );
  });
});
