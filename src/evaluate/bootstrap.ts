import { createRandom } from '../lib/random.ts';

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
