/** A ranking, best first: item numbers. */
export type RankedItems = ArrayLike<number>;

export const METRICS = ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20'] as const;
export type Metric = (typeof METRICS)[number];

/** How deep a ranking is looked at. */
export const DEPTH = 20;

/** The metrics of the tables of one ranked list (at least DEPTH long where there is as much) against the relevant items, of which there is at least one. */
export function judge(ranked: RankedItems, relevant: ReadonlySet<number>): Record<Metric, number> {
  return { 'hr@10': hitRate(ranked, relevant, 10), 'ndcg@10': ndcg(ranked, relevant, 10), 'mrr@20': reciprocalRank(ranked, relevant, 20), 'recall@20': recall(ranked, relevant, 20) };
}

/** 1 where any of the first k is relevant, else 0 (Deshpande & Karypis 2004). */
export function hitRate(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  return countHits(ranked, relevant, k) > 0 ? 1 : 0;
}

/** Share of the k places that are relevant; a list shorter than k has its missing places wrong (Cleverdon 1967). */
export function precision(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  return countHits(ranked, relevant, k) / k;
}

/** Share of the relevant items that are among the first k (Cleverdon 1967). */
export function recall(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  return countHits(ranked, relevant, k) / relevant.size;
}

/** Harmonic mean of precision and recall at k, 0 without a hit (van Rijsbergen 1979). */
export function f1(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  return (2 * countHits(ranked, relevant, k)) / (k + relevant.size);
}

/** 1 / place of the first relevant item, 0 where none is among the first k (Voorhees 1999). */
export function reciprocalRank(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  for (let place = 0; place < Math.min(k, ranked.length); place++) if (relevant.has(ranked[place]!)) return 1 / (place + 1);
  return 0;
}

/** Normalised discounted cumulative gain at k, gains 0 and 1, discount 1 / log2(place + 1) (Järvelin & Kekäläinen 2002). */
export function ndcg(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  let gain = 0;
  for (let place = 0; place < Math.min(k, ranked.length); place++) if (relevant.has(ranked[place]!)) gain += 1 / Math.log2(place + 2);
  let ideal = 0;
  for (let place = 0; place < Math.min(k, relevant.size); place++) ideal += 1 / Math.log2(place + 2);
  return gain / ideal;
}

function countHits(ranked: RankedItems, relevant: ReadonlySet<number>, k: number): number {
  let hits = 0;
  for (let place = 0; place < Math.min(k, ranked.length); place++) if (relevant.has(ranked[place]!)) hits++;
  return hits;
}
