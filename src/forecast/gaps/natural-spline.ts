import { knownSteps } from './imputer.ts';

/**
 * The natural cubic spline through the known values (de Boor 1978, *A Practical Guide to Splines*, ch. IV: second derivatives at the knots
 * from a tridiagonal system, zero at both ends). After the last known value it is held: a spline says nothing beyond its knots.
 */
export function imputeNaturalSpline(values: Float64Array): Float64Array {
  const filled = values.slice();
  const knots = knownSteps(values);
  const curvature = secondDerivatives(knots, values);
  knots.forEach((left, k) => {
    const right = knots[k + 1];
    if (right === undefined) return void filled.fill(values[left]!, left);
    const width = right - left;
    for (let at = left + 1; at < right; at++) {
      const [a, b] = [(right - at) / width, (at - left) / width];
      const bend = ((a ** 3 - a) * curvature[k]! + (b ** 3 - b) * curvature[k + 1]!) * (width ** 2 / 6);
      filled[at] = a * values[left]! + b * values[right]! + bend;
    }
  });
  return filled;
}

/** [knots]; by elimination and back substitution, which are stable because the system is diagonally dominant. */
function secondDerivatives(knots: readonly number[], values: Float64Array): Float64Array {
  const curvature = new Float64Array(knots.length);
  const factor = new Float64Array(knots.length);
  const slope = (k: number): number => (values[knots[k + 1]!]! - values[knots[k]!]!) / (knots[k + 1]! - knots[k]!);
  for (let k = 1; k < knots.length - 1; k++) {
    const [before, after] = [knots[k]! - knots[k - 1]!, knots[k + 1]! - knots[k]!];
    const pivot = 2 * (before + after) - before * factor[k - 1]!;
    factor[k] = after / pivot;
    curvature[k] = (6 * (slope(k) - slope(k - 1)) - before * curvature[k - 1]!) / pivot;
  }
  for (let k = knots.length - 2; k > 0; k--) curvature[k]! -= factor[k]! * curvature[k + 1]!;
  return curvature;
}
