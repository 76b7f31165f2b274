import { createRandom, type Random } from '../lib/random.ts';

/** Draws the items that a step's right answers are compared with. */
export interface NegativeSampler {
  /** p(item is among those drawn), [items]. */
  readonly inclusion: Float64Array;
  /** Distinct items. */
  readonly draw: (random: Random) => Int32Array;
}

/** Blocks for each item to be drawn: more cost time, fewer keep more items from being drawn together, since a block mostly gives one. */
const BLOCKS_PER_DRAWN = 4;

/**
 * Samples `count` distinct items, each with a chance proportional to its weight but at most 1: systematic sampling (Madow
 * 1949). The chances are exact, unlike those of drawing with rejection, so that what is estimated from a sample is
 * unbiased, and with `count` = items all are drawn. Items are dealt into blocks once; a draw puts the blocks in random order, so that
 * it takes time for the drawn items and not for all.
 */
export function createNegativeSampler(weights: ArrayLike<number>, count: number): NegativeSampler {
  const inclusion = inclusionChances(weights, Math.min(count, weights.length));
  const items = inclusion.length;
  const most = Math.min(count, items);
  const placed = createRandom(1).shuffle(Int32Array.from(inclusion, (_, item) => item)); // the items, block by block
  const size = Math.max(1, Math.floor(items / (BLOCKS_PER_DRAWN * Math.max(1, most))));
  const blocks = Math.ceil(items / size);
  const ends = new Float64Array(items); // Σ inclusion within the block, up to and with each place
  for (let at = 0; at < items; at++) ends[at] = (at % size === 0 ? 0 : ends[at - 1]!) + inclusion[placed[at]!]!;
  const order = new Int32Array(blocks);
  return {
    inclusion,
    draw(random) {
      for (let block = 0; block < blocks; block++) order[block] = block; // from scratch, so that a resumed training draws the same
      random.shuffle(order);
      const drawn = new Int32Array(most);
      let found = 0;
      let point = random.next();
      let start = 0;
      for (let at = 0; at < blocks; at++) {
        const last = Math.min(items, (order[at]! + 1) * size) - 1;
        const end = at === blocks - 1 ? most : start + ends[last]!; // the last one takes up what sums have lost
        for (let place = order[at]! * size; point < end && place <= last; place++) {
          place = firstAbove(ends, point - start, place, last);
          drawn[found++] = placed[place]!;
          point++;
        }
        start = end;
      }
      return drawn.subarray(0, found);
    },
  };
}

/** The first place in [from, last] whose value is above `limit`, by bisection; `last` where none is. */
function firstAbove(ascending: Float64Array, limit: number, from: number, last: number): number {
  let low = from;
  let high = last;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** min(1, c · weight) with the c that makes them sum to `count`. */
function inclusionChances(weights: ArrayLike<number>, count: number): Float64Array {
  const chances = new Float64Array(weights.length);
  for (;;) {
    let certain = 0;
    let rest = 0;
    for (let item = 0; item < chances.length; item++) {
      if (chances[item] === 1) certain++;
      else rest += weights[item]!;
    }
    const factor = (count - certain) / rest;
    let capped = false;
    for (let item = 0; item < chances.length; item++) {
      if (chances[item] === 1) continue;
      chances[item] = Math.min(1, factor * weights[item]!);
      capped ||= chances[item] === 1;
    }
    if (!capped || certain === chances.length) return chances;
  }
}
