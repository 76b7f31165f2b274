import { SECONDS_PER_DAY } from './baskets.ts';
import type { Baskets } from './baskets.ts';
import type { SimpleRanker } from './simple-ranker.ts';

/** In how many basket lines each item occurs, over all baskets: [items]. */
export function countPopularity({ items }: Pick<Baskets, 'items'>, itemCount: number): Float32Array {
  const counts = new Float32Array(itemCount);
  for (const item of items) counts[item]! += 1;
  return counts;
}

/** Basket lines per item in the `windowDays` (default 7) before `now`; what happens at `now` is not counted. */
export function createRecentPopularity(baskets: Baskets, { windowDays = 7 } = {}): SimpleRanker {
  const { items, offsets, time } = baskets;
  return {
    name: `popular ${windowDays} days`,
    score({ now }, out) {
      out.fill(0);
      const start = offsets[firstAtOrAfter(time, now - windowDays * SECONDS_PER_DAY)];
      const end = offsets[firstAtOrAfter(time, now)];
      for (const item of items.subarray(start, end)) out[item]! += 1;
    },
  };
}

/** The same order for everybody, whenever: counts that a pack carries. */
export function createPopularity(counts: Float32Array): SimpleRanker {
  return { name: 'popular', score: (_context, out) => out.set(counts) };
}

/** Index of the first time that is not before `seconds`, by bisection. */
function firstAtOrAfter(time: Float64Array, seconds: number): number {
  let low = 0;
  let high = time.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (time[middle]! < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
