import { createRandom } from '../lib/random.ts';

/** Sums of several figures over the queries of each customer. */
export interface CustomerSums {
  /** [customers, columns] */
  readonly sums: Float64Array;
  readonly columns: number;
  /** [customers] queries of each */
  readonly queries: Float64Array;
}

/** Adds up figures by customer: `values` is [queries, columns], `customer` [queries] any numbers. */
export function sumByCustomer(values: Float32Array, columns: number, customer: ArrayLike<number>): CustomerSums {
  const dense = new Map<number, number>();
  const of = Int32Array.from(customer, (one) => dense.get(one) ?? (dense.set(one, dense.size), dense.size - 1));
  const sums = new Float64Array(dense.size * columns);
  const queries = new Float64Array(dense.size);
  of.forEach((one, query) => {
    queries[one]! += 1;
    for (let column = 0; column < columns; column++) sums[one * columns + column]! += values[query * columns + column]!;
  });
  return { sums, columns, queries };
}

/** Mean of each column over all queries, [columns]. */
export function columnMeans({ sums, columns, queries }: CustomerSums): Float64Array {
  const means = new Float64Array(columns);
  for (let at = 0; at < sums.length; at++) means[at % columns]! += sums[at]!;
  const total = queries.reduce((sum, count) => sum + count, 0);
  return means.map((sum) => sum / total);
}

/**
 * Means of all columns in bootstrap resamples of the customers (Efron 1979), [resamples, columns]. The same seed and number of customers
 * draw the same customers, so that two rankers' replicates of one resample are a pair.
 */
export function bootstrapMeans({ sums, columns, queries }: CustomerSums, { resamples, seed }: { readonly resamples: number; readonly seed: number }): Float64Array {
  const customers = queries.length;
  const random = createRandom(seed);
  const weights = new Uint32Array(customers);
  const means = new Float64Array(resamples * columns);
  for (let resample = 0; resample < resamples; resample++) {
    weights.fill(0);
    for (let draw = 0; draw < customers; draw++) weights[random.integer(customers)]! += 1;
    const row = means.subarray(resample * columns, (resample + 1) * columns);
    let total = 0;
    for (let customer = 0; customer < customers; customer++) {
      const weight = weights[customer]!;
      if (weight === 0) continue;
      total += weight * queries[customer]!;
      for (let column = 0, at = customer * columns; column < columns; column++, at++) row[column]! += weight * sums[at]!;
    }
    for (let column = 0; column < columns; column++) row[column]! /= total;
  }
  return means;
}

/** The 95 % percentile interval of replicates. */
export function percentileInterval(replicates: Float64Array): { readonly low: number; readonly high: number } {
  const sorted = replicates.slice().sort();
  return { low: sorted[Math.floor(0.025 * sorted.length)]!, high: sorted[Math.min(sorted.length - 1, Math.floor(0.975 * sorted.length))]! };
}
