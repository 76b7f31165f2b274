import { RecommenderError } from '../../errors.ts';
import { itemsByUser, type Baskets } from './baskets.ts';
import { addNeighbours, toNeighbours, type Neighbours } from './neighbours.ts';
import { invertPositiveDefinite } from './positive-definite.ts';
import type { SimpleRanker } from './simple-ranker.ts';

/** Beyond it the closed form takes minutes and gigabytes. */
export const EASE_ITEMS = 5_000;

/**
 * Item-to-item weights B = I - P · diag(1 / diag P) with P = (XᵀX + λI)⁻¹, X [users, items] being 1 where the user has the item
 * (Steck 2019, "Embarrassingly shallow autoencoders for sparse data", section 3.1). `regularisation` is λ, default 500.
 * @returns [items, items], row i being what item i says of the others; its diagonal is 0.
 * @throws RecommenderError `INVALID_OPTIONS` for more than `EASE_ITEMS` items or λ not above 0.
 */
export function fitEase(baskets: Baskets, itemCount: number, { regularisation = 500 } = {}): Float32Array {
  if (itemCount > EASE_ITEMS) throw new RecommenderError('INVALID_OPTIONS', `EASE is for at most ${EASE_ITEMS} items, not ${itemCount}.`);
  if (!(regularisation > 0)) throw new RecommenderError('INVALID_OPTIONS', `EASE needs a regularisation above 0, not ${regularisation}.`);
  const p = new Float64Array(itemCount * itemCount);
  for (const owned of itemsByUser(baskets)) {
    for (const item of owned) for (const other of owned) p[item * itemCount + other]! += 1;
  }
  for (let item = 0; item < itemCount; item++) p[item * itemCount + item]! += regularisation;
  invertPositiveDefinite(p, itemCount);
  const weights = new Float32Array(p.length);
  for (let item = 0; item < itemCount; item++) {
    for (let other = 0; other < itemCount; other++) {
      if (item !== other) weights[item * itemCount + other] = -p[item * itemCount + other]! / p[other * itemCount + other]!;
    }
  }
  return weights;
}

/** The `limit` (default all) weights of each item that are largest in magnitude, negative ones too: what a pack ships. */
export function largestWeights(weights: Float32Array, itemCount: number, { limit = Infinity } = {}): Neighbours {
  return toNeighbours(itemCount, (item) => {
    const row = weights.subarray(item * itemCount, (item + 1) * itemCount);
    const others = Array.from(row.keys()).filter((other) => row[other] !== 0);
    if (limit < others.length) others.sort((a, b) => Math.abs(row[b]!) - Math.abs(row[a]!) || a - b).length = limit;
    return { items: others, weights: Float32Array.from(others, (other) => row[other]!) };
  });
}

/** Scores Σ B[i, ·] over the distinct items of session and history; a negative sum is no evidence. */
export function createEase(weights: Neighbours): SimpleRanker {
  const itemCount = weights.offsets.length - 1;
  return {
    name: 'EASE',
    score({ session, history, now }, out) {
      out.fill(0);
      const earlier = history.filter(({ time }) => time < now);
      const owned = new Set([...earlier, ...session].flatMap(({ item, weight }) => (weight > 0 && item >= 0 && item < itemCount ? [item] : [])));
      for (const item of owned) addNeighbours(out, weights, item, 1);
      for (let other = 0; other < itemCount; other++) out[other] = Math.max(0, out[other]!);
    },
  };
}
