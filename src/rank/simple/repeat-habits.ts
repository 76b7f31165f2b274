import { SECONDS_PER_DAY, type Baskets } from './baskets.ts';

/** How an item is bought again; two numbers an item, counted over all shoppers. */
export interface RepeatHabits {
  /** Median days between two purchases of the item by one shopper, [items]; 0 where nobody bought it twice. */
  readonly days: Float32Array;
  /** Share of the item's buyers who bought it again, [items], drawn to the catalogue's share as if by 10 more buyers. */
  readonly share: Float32Array;
}

const PRIOR_BUYERS = 10;

/** Counts repeat purchases; an item twice in one basket is one purchase. */
export function countRepeats({ items, offsets, time, user }: Baskets, itemCount: number): RepeatHabits {
  const lastBought = new Map<number, number>(); // user · items + item -> Unix seconds, of the newest purchase
  const again = new Set<number>();
  const gaps = Array.from({ length: itemCount }, (): number[] => []);
  const buyers = new Float64Array(itemCount);
  const repeaters = new Float64Array(itemCount);
  for (let basket = 0; basket + 1 < offsets.length; basket++) {
    for (const item of new Set(items.subarray(offsets[basket], offsets[basket + 1]))) {
      const key = user[basket]! * itemCount + item;
      const before = lastBought.get(key);
      lastBought.set(key, time[basket]!);
      if (before === undefined) {
        buyers[item]! += 1;
        continue;
      }
      gaps[item]!.push((time[basket]! - before) / SECONDS_PER_DAY);
      if (!again.has(key)) repeaters[item]! += 1;
      again.add(key);
    }
  }
  const mean = repeaters.reduce((sum, count) => sum + count, 0) / Math.max(1, buyers.reduce((sum, count) => sum + count, 0));
  return {
    days: Float32Array.from(gaps, median),
    share: Float32Array.from(buyers, (count, item) => (repeaters[item]! + PRIOR_BUYERS * mean) / (count + PRIOR_BUYERS)),
  };
}

/** The middle value, the lower one of two; 0 of none. */
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[(values.length - 1) >> 1] ?? 0;
}
