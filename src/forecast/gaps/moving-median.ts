import { medianOf } from '../../lib/order-statistics.ts';
import { knownSteps } from './imputer.ts';

/** Steps on either side, as in imputeTS `na_ma` (Moritz & Bartz-Beielstein 2017, §2.2). */
const REACH = 4;

/**
 * The median of the known values at most 4 steps away (running median, Tukey 1977, *Exploratory Data Analysis*, ch. 7); where fewer than two are
 * known the window is doubled until there are two, or all of the series.
 */
export function imputeMovingMedian(values: Float64Array): Float64Array {
  const first = knownSteps(values)[0] ?? values.length;
  return values.map((value, at) => (at < first || !Number.isNaN(value) ? value : medianOf(nearby(values, at))));
}

function nearby(values: Float64Array, at: number): Float64Array {
  for (let reach = REACH; ; reach *= 2) {
    const known = values.subarray(Math.max(0, at - reach), at + reach + 1).filter((value) => !Number.isNaN(value));
    if (known.length >= 2 || reach >= values.length) return known;
  }
}
