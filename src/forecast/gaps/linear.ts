import { knownSteps } from './imputer.ts';

/** A straight line between the known values on both sides of a gap; the last known value after it (imputeTS `na_interpolation`, Moritz & Bartz-Beielstein 2017, §2.2). */
export function imputeLinear(values: Float64Array): Float64Array {
  const filled = values.slice();
  const known = knownSteps(values);
  known.forEach((step, k) => {
    const next = known[k + 1];
    if (next === undefined) return void filled.fill(values[step]!, step);
    const slope = (values[next]! - values[step]!) / (next - step);
    for (let at = step + 1; at < next; at++) filled[at] = values[step]! + slope * (at - step);
  });
  return filled;
}
