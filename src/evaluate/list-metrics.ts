import type { RankedItems } from './metrics.ts';

/** How often each item is among the first k of the lists: [items]. */
export function countExposure(lists: Iterable<RankedItems>, itemCount: number, k: number): Uint32Array {
  const exposure = new Uint32Array(itemCount);
  for (const ranked of lists) for (let place = 0; place < Math.min(k, ranked.length); place++) exposure[ranked[place]!]! += 1;
  return exposure;
}

/** Catalogue coverage: share of the items that anybody was shown (Ge, Delgado-Battenfeld & Jannach 2010). */
export function coverage(exposure: ArrayLike<number>): number {
  let shown = 0;
  for (let item = 0; item < exposure.length; item++) if (exposure[item]! > 0) shown++;
  return shown / exposure.length;
}

/** Gini coefficient: 0 where all items are shown equally often, near 1 where one is shown alone (Gini 1912; Fleder & Hosanagar 2009). */
export function gini(exposure: ArrayLike<number>): number {
  const ascending = Float64Array.from(exposure).sort();
  let total = 0;
  let weighted = 0;
  ascending.forEach((count, rank) => {
    total += count;
    weighted += (2 * rank + 1 - ascending.length) * count;
  });
  return weighted / (ascending.length * total);
}

/**
 * Intra-list diversity: mean of 1 - cosine over the pairs of the first k (Ziegler et al. 2005), 0 for fewer than two. `vectors` are
 * [items, dimensions], of unit length.
 */
export function diversity(ranked: RankedItems, vectors: Float32Array, dimensions: number, k: number): number {
  const length = Math.min(k, ranked.length);
  if (length < 2) return 0;
  // The sum over pairs of the dot products is (|Σ v|² - Σ |v|²) / 2: no pair has to be looked at.
  const sum = new Float64Array(dimensions);
  let squares = 0;
  for (let place = 0; place < length; place++) {
    const start = ranked[place]! * dimensions;
    for (let d = 0; d < dimensions; d++) {
      sum[d]! += vectors[start + d]!;
      squares += vectors[start + d]! ** 2;
    }
  }
  const pairs = (length * (length - 1)) / 2;
  return 1 - (sum.reduce((all, value) => all + value * value, 0) - squares) / 2 / pairs;
}

/**
 * Novelty: mean of -log2(share of users who had the item) over the first k (Zhou et al. 2010). `itemUsers` is [items]; an item that nobody
 * had counts as had by one of the `users`, so that it is the newest without being infinitely so.
 */
export function novelty(ranked: RankedItems, itemUsers: ArrayLike<number>, users: number, k: number): number {
  return meanOfPlaces(ranked, k, (item) => -Math.log2(Math.max(1, itemUsers[item]!) / users));
}

/** Popularity bias: mean share of all interactions that the first k items had (average recommendation popularity: Yin et al. 2012). */
export function popularityBias(ranked: RankedItems, itemCounts: ArrayLike<number>, interactions: number, k: number): number {
  return meanOfPlaces(ranked, k, (item) => itemCounts[item]! / interactions);
}

function meanOfPlaces(ranked: RankedItems, k: number, valueOf: (item: number) => number): number {
  const length = Math.min(k, ranked.length);
  let sum = 0;
  for (let place = 0; place < length; place++) sum += valueOf(ranked[place]!);
  return length === 0 ? 0 : sum / length;
}
