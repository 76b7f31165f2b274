import type { GapContext } from './imputer.ts';
import { knownSteps } from './imputer.ts';
import { imputeLinear } from './linear.ts';

/** Between the 10 and 20 neighbours that Troyanskaya et al. found best. */
const NEIGHBOURS = 15;

/** Series that share fewer known steps are not compared. */
const SHARED_STEPS = 8;

/**
 * What the most alike series did at that step: the mean of their standardised values, weighted by the inverse of their distance (KNNimpute,
 * Troyanskaya et al. 2001, Bioinformatics 17(6), §"KNN-based methods"), in this series' own units. Linear where no neighbour knows the step.
 */
export function imputeNearestSeries(values: Float64Array, { all }: Pick<GapContext, 'all'>): Float64Array {
  const filled = imputeLinear(values);
  const known = knownSteps(values);
  if (known.length === 0 || known.length === values.length) return filled;
  const own = standardise(values);
  const others = all.flatMap((other) => {
    if (other === values) return [];
    const scores = standardise(alignedEnd(other, values.length)).scores;
    const distance = distanceBetween(own.scores, scores);
    return Number.isNaN(distance) ? [] : [{ scores, distance }];
  });
  others.sort((a, b) => a.distance - b.distance);
  for (let at = known[0]!; at < values.length; at++) {
    if (!Number.isNaN(values[at]!)) continue;
    let [sum, weights, count] = [0, 0, 0];
    for (const { scores, distance } of others) {
      if (Number.isNaN(scores[at]!)) continue;
      const weight = 1 / (distance + 1e-6); // a twin has no distance
      sum += weight * scores[at]!;
      weights += weight;
      if (++count === NEIGHBOURS) break;
    }
    if (count > 0) filled[at] = own.mean + (own.deviation * sum) / weights;
  }
  return filled;
}

function standardise(values: Float64Array): { scores: Float64Array; mean: number; deviation: number } {
  const known = values.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
  return { scores: values.map((value) => (deviation > 0 ? (value - mean) / deviation : value - mean)), mean, deviation };
}

/** Root mean square difference over the steps that both know; NaN where those are too few. */
function distanceBetween(one: Float64Array, other: Float64Array): number {
  let [squares, shared] = [0, 0];
  for (let at = 0; at < one.length; at++) {
    const difference = one[at]! - other[at]!;
    if (Number.isNaN(difference)) continue;
    squares += difference * difference;
    shared += 1;
  }
  return shared < SHARED_STEPS ? NaN : Math.sqrt(squares / shared);
}

/** The last `length` steps; unknown before the series begins. */
function alignedEnd(values: Float64Array, length: number): Float64Array {
  if (values.length >= length) return values.subarray(values.length - length);
  const aligned = new Float64Array(length).fill(NaN);
  aligned.set(values, length - values.length);
  return aligned;
}
