import type { Random } from '../../lib/random.ts';
import type { Baskets } from '../../rank/simple/baskets.ts';

/** What of a visit is known, at most: its last items before the hidden one. */
const MOST_CONTEXT = 5;

/** One question to a ranking by text alone: which item was taken in the same visit? */
export interface TextQuery {
  readonly customer: number;
  /** Items of the visit, oldest first. */
  readonly context: readonly number[];
  readonly target: number;
}

/** One question of each visit with two items or more: one of its items after the first is hidden, drawn at random; at most `most` visits, drawn too. */
export function drawTextQueries({ items, offsets, user }: Baskets, most: number, random: Random): TextQuery[] {
  const visits = [...user.keys()].filter((visit) => offsets[visit + 1]! - offsets[visit]! >= 2);
  return random
    .shuffle(visits)
    .slice(0, most)
    .map((visit) => {
      const own = items.subarray(offsets[visit], offsets[visit + 1]);
      const place = 1 + random.integer(own.length - 1);
      return { customer: user[visit]!, context: [...own.subarray(Math.max(0, place - MOST_CONTEXT), place)], target: own[place]! };
    });
}

/**
 * NDCG@10 of each query's target among all items but its context, ranked by cosine to the mean of the context, all vectors less the
 * catalogue's mean: what texts share says nothing of an item. Equal scores count as half before and half behind.
 * @param vectors [items, size], unit rows
 */
export function rankByText(vectors: Float32Array, size: number, queries: readonly TextQuery[]): Float64Array {
  const centred = centreRows(vectors, size);
  const items = vectors.length / size;
  const scores = new Float64Array(items);
  return Float64Array.from(queries, ({ context, target }) => {
    const wish = new Float64Array(size);
    for (const item of context) for (let k = 0; k < size; k++) wish[k]! += centred[item * size + k]!;
    for (let item = 0; item < items; item++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += wish[k]! * centred[item * size + k]!;
      scores[item] = sum;
    }
    for (const item of context) scores[item] = -Infinity;
    let rank = 0;
    for (let item = 0; item < items; item++) if (item !== target) rank += scores[item]! > scores[target]! ? 1 : scores[item] === scores[target] ? 0.5 : 0;
    return rank < 10 ? 1 / Math.log2(rank + 2) : 0;
  });
}

/** Rows less their mean, brought to unit length. */
function centreRows(vectors: Float32Array, size: number): Float32Array {
  const rows = vectors.length / size;
  const mean = new Float64Array(size);
  for (let at = 0; at < vectors.length; at++) mean[at % size]! += vectors[at]! / rows;
  const centred = vectors.map((value, at) => value - mean[at % size]!);
  for (let start = 0; start < centred.length; start += size) {
    const row = centred.subarray(start, start + size);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let k = 0; k < size; k++) row[k]! /= norm;
  }
  return centred;
}
