export const METRICS = ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20'] as const;
export type Metric = (typeof METRICS)[number];

/** How deep a ranking is looked at. */
export const DEPTH = 20;

/** Metrics of one ranked list (best first, at least DEPTH long where there is as much) against the relevant products. */
export function judge(ranked: readonly number[], relevant: ReadonlySet<number>): Record<Metric, number> {
  let hits10 = 0;
  let hits20 = 0;
  let gain = 0;
  let reciprocal = 0;
  ranked.slice(0, DEPTH).forEach((product, rank) => {
    if (!relevant.has(product)) return;
    hits20++;
    if (reciprocal === 0) reciprocal = 1 / (rank + 1);
    if (rank >= 10) return;
    hits10++;
    gain += 1 / Math.log2(rank + 2);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(10, relevant.size); rank++) ideal += 1 / Math.log2(rank + 2);
  return { 'hr@10': hits10 > 0 ? 1 : 0, 'ndcg@10': gain / ideal, 'mrr@20': reciprocal, 'recall@20': hits20 / relevant.size };
}
