import type { Random } from '../lib/random.ts';

/** Draws the items that a step's right answers are compared with. */
export interface NegativeSampler {
  /** p(item is among those drawn), [items]. */
  readonly inclusion: Float64Array;
  /** Distinct items. */
  readonly draw: (random: Random) => Int32Array;
}

/**
 * Samples `count` distinct items, each with a chance proportional to its weight but at most 1: systematic sampling (Madow
 * 1949) in random order. The chances are exact, unlike those of drawing with rejection, so that what is estimated from a
 * sample is unbiased, and with `count` = items all are drawn.
 */
export function createNegativeSampler(weights: ArrayLike<number>, count: number): NegativeSampler {
  const inclusion = inclusionChances(weights, Math.min(count, weights.length));
  const items = inclusion.length;
  const order = new Int32Array(items);
  return {
    inclusion,
    draw(random) {
      for (let item = 0; item < items; item++) order[item] = item; // from scratch, so that a resumed training draws the same
      random.shuffle(order);
      const drawn = new Int32Array(Math.min(count, items));
      let found = 0;
      let point = random.next();
      let end = 0;
      for (let at = 0; at < items; at++) {
        end = at === items - 1 ? drawn.length : end + inclusion[order[at]!]!; // the last one takes up what sums have lost
        if (point >= end) continue;
        drawn[found++] = order[at]!;
        point++;
      }
      return drawn.subarray(0, found);
    },
  };
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
