import { createRandom } from '../../src/lib/random.ts';

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

/** One figure per query, with the customer it belongs to. */
export interface Sample {
  readonly customer: number;
  readonly value: number;
}

export interface Estimate {
  readonly value: number;
  /** 95 % percentile bootstrap interval over customers (Efron 1979; customers are resampled because their queries are alike). */
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const RESAMPLES = 2_000;

/** Mean over all queries, with its interval; the same seed draws the same customers for every ranker. */
export function estimate(samples: readonly Sample[], seed = 1): Estimate {
  const byCustomer = new Map<number, { sum: number; count: number }>();
  for (const { customer, value } of samples) {
    const entry = byCustomer.get(customer) ?? { sum: 0, count: 0 };
    entry.sum += value;
    entry.count++;
    byCustomer.set(customer, entry);
  }
  const customers = [...byCustomer.values()];
  const random = createRandom(seed);
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    let count = 0;
    for (let draw = 0; draw < customers.length; draw++) {
      const customer = customers[random.integer(customers.length)]!;
      sum += customer.sum;
      count += customer.count;
    }
    return sum / count;
  }).sort();
  return {
    value: samples.reduce((sum, { value }) => sum + value, 0) / samples.length,
    low: means[Math.floor(0.025 * RESAMPLES)]!,
    high: means[Math.floor(0.975 * RESAMPLES)]!,
    n: samples.length,
  };
}
