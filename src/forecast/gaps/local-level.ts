import { knownSteps } from './imputer.ts';

/** Log signal-to-noise ratios that are looked at: below, the level is as good as constant, above, a random walk. */
const LOG_RATIOS = { from: -14, to: 14, step: 2 } as const;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const TOLERANCE = 1e-4;

/** Log-likelihoods that differ by less are equal but for rounding, as all are of two known values; then the steadier level is taken. */
const ROUNDING = 1e-9;

/**
 * The smoothed level of a local level model, y(t) = μ(t) + ε(t), μ(t+1) = μ(t) + η(t) (Durbin & Koopman 2012, *Time Series Analysis by State
 * Space Methods*, ch. 2: filter §2.2, smoother §2.4, missing observations §2.7, diffuse start §2.9), with the ratio of both variances by
 * maximum likelihood of the concentrated likelihood (§2.10.2). After the last known value it is the level there.
 */
export function imputeLocalLevel(values: Float64Array): Float64Array {
  const known = knownSteps(values);
  if (known.length === 0 || known.length === values.length) return values.slice();
  const first = known[0]!;
  const level = smoothedLevel(values.subarray(first), estimateSignalToNoise(values));
  return values.map((value, at) => (at < first || !Number.isNaN(value) ? value : level[at - first]!));
}

/** σ²η / σ²ε of greatest likelihood: the best of a grid, then golden section between its neighbours. */
export function estimateSignalToNoise(values: Float64Array): number {
  const first = knownSteps(values)[0] ?? 0;
  const own = values.subarray(first);
  const likelihood = (logRatio: number): number => filter(own, Math.exp(logRatio)).logLikelihood;
  let best = { at: 0, value: -Infinity };
  for (let at: number = LOG_RATIOS.from; at <= LOG_RATIOS.to; at += LOG_RATIOS.step) {
    const value = likelihood(at);
    if (value > best.value + ROUNDING) best = { at, value };
  }
  let [low, high] = [best.at - LOG_RATIOS.step, best.at + LOG_RATIOS.step];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [atLeft, atRight] = [likelihood(left), likelihood(right)];
  while (high - low > TOLERANCE) {
    if (atLeft >= atRight - ROUNDING) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = likelihood(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = likelihood(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** E[μ(t) | all known values] after the first step, which is known, by the fixed-interval smoother r(t-1) = v(t)/F(t) + (1 - K(t)) r(t), μ̂(t) = a(t) + P(t) r(t-1). */
function smoothedLevel(values: Float64Array, ratio: number): Float64Array {
  const { level, variance, error } = filter(values, ratio);
  const smoothed = new Float64Array(values.length);
  let r = 0;
  for (let at = values.length - 1; at > 0; at--) {
    const total = variance[at]! + 1;
    if (!Number.isNaN(error[at]!)) r = (error[at]! + r) / total; // v/F + (1 - P/F) r with F = P + 1
    smoothed[at] = level[at]! + variance[at]! * r;
  }
  return smoothed;
}

interface Filtered {
  /** One step ahead: a(t), P(t) in units of σ²ε, v(t); v is NaN where the value is. */
  readonly level: Float64Array;
  readonly variance: Float64Array;
  readonly error: Float64Array;
  /** Concentrated diffuse log-likelihood without constants. */
  readonly logLikelihood: number;
}

/** Kalman filter with σ²ε = 1 and σ²η = `ratio`; the first value is known and is where the diffuse level starts. */
function filter(values: Float64Array, ratio: number): Filtered {
  const level = new Float64Array(values.length);
  const variance = new Float64Array(values.length);
  const error = new Float64Array(values.length).fill(NaN);
  let [a, p] = [values[0] ?? NaN, 1];
  let [squares, logs, count] = [0, 0, 0];
  for (let at = 1; at < values.length; at++) {
    p += ratio;
    level[at] = a;
    variance[at] = p;
    const v = values[at]! - a;
    if (Number.isNaN(v)) continue;
    error[at] = v;
    const total = p + 1;
    squares += (v * v) / total;
    logs += Math.log(total);
    count += 1;
    a += (p / total) * v;
    p /= total;
  }
  return { level, variance, error, logLikelihood: -(count * Math.log(squares) + logs) / 2 };
}
