// The training module: see training-kernels.ts for what each function does. Addresses are bytes, sizes are elements.
import { exp4, loadLanes, maxLanes, multiplyAdd, splat, storeLanes, sumLanes } from './lanes';

export { blocksEnd, matmul, useBlocks } from './matmul';
export { addBias, addColumns } from './row-sums';
export { lstmBackward, lstmBackwardBytes, lstmForward, lstmForwardBytes } from './lstm-training';

function rowMaximum(row: usize, end: usize): f32 {
  let result: f32 = -Infinity;
  let at = row;
  if (at + 16 <= end) {
    let lanes = v128.load(at);
    for (at += 16; at + 16 <= end; at += 16) lanes = f32x4.pmax(lanes, v128.load(at));
    result = maxLanes(lanes);
  }
  for (; at < end; at += 4) result = max(result, load<f32>(at));
  return result;
}

/** row = e^(row - maximum); returns the sum. */
function exponentials(row: usize, end: usize, maximum: f32): f32 {
  const shift = splat(maximum);
  let lanes0 = splat(0);
  let lanes1 = splat(0);
  let at = row;
  for (; at + 32 <= end; at += 32) {
    const first = exp4(f32x4.sub(v128.load(at), shift));
    const second = exp4(f32x4.sub(v128.load(at, 16), shift));
    v128.store(at, first);
    v128.store(at, second, 16);
    lanes0 = f32x4.add(lanes0, first);
    lanes1 = f32x4.add(lanes1, second);
  }
  let sum = sumLanes(f32x4.add(lanes0, lanes1));
  for (; at < end; at += 4) {
    const value = exp4(f32x4.sub(loadLanes(at, false), shift));
    storeLanes(at, value, false);
    sum += f32x4.extract_lane(value, 0);
  }
  return sum;
}

/**
 * ln x for normal x: x = 2^e · m with m in [√½, √2), ln m = 2 · atanh((m - 1) / (m + 1)), whose series loses less than
 * 1e-15 after these terms. The library's logarithm is as exact, but its tables are half as large as this module.
 */
function naturalLogarithm(x: f64): f64 {
  const bits = reinterpret<i64>(x) - 0x3fe6a09e667f3bcd; // √½
  const exponent = bits >> 52;
  const mantissa = reinterpret<f64>(reinterpret<i64>(x) - (exponent << 52));
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum: f64 = 0;
  for (let odd = 21; odd >= 1; odd -= 2) sum = sum * z + 1.0 / <f64>odd;
  return <f64>exponent * 0.6931471805599453 + 2 * s * sum;
}

/** x *= factor. */
export function scale(x: usize, length: i32, factor: f32): void {
  const end = x + (<usize>length << 2);
  const factors = splat(factor);
  for (; x + 16 <= end; x += 16) v128.store(x, f32x4.mul(v128.load(x), factors));
  for (; x < end; x += 4) store<f32>(x, load<f32>(x) * factor);
}

export function softmaxCrossEntropy(logits: usize, targets: usize, weights: usize, rows: i32, classes: i32): f64 {
  const rowBytes = <usize>classes << 2;
  let loss: f64 = 0;
  for (let row: usize = 0; row < <usize>rows; ++row, logits += rowBytes) {
    const weight = load<f32>(weights + (row << 2));
    if (weight == 0) {
      memory.fill(logits, 0, rowBytes);
      continue;
    }
    const end = logits + rowBytes;
    const target = logits + (<usize>load<i32>(targets + (row << 2)) << 2);
    const maximum = rowMaximum(logits, end);
    const margin = <f64>maximum - <f64>load<f32>(target);
    const sum = exponentials(logits, end, maximum);
    loss += <f64>weight * (margin + naturalLogarithm(<f64>sum));
    scale(logits, classes, weight / sum);
    store<f32>(target, load<f32>(target) - weight);
  }
  return loss;
}

/** Blocks of four between logarithms: a product of 4 · 240 factors of at most 2 is still a float64. */
const FACTOR_BLOCKS: i32 = 240;

/** ln of the product of both lanes. */
@inline
function logOfLanes(product: v128): f64 {
  return naturalLogarithm(f64x2.extract_lane(product, 0) * f64x2.extract_lane(product, 1));
}

/** row = weight · σ(row), lane by lane; returns Σ log(1 + e^x) as Σ max(x, 0) + log Π (1 + e^-|x|): one logarithm for many. */
function sigmoids(row: usize, end: usize, weight: f32): f64 {
  const one = splat(1);
  const ones = f64x2.splat(1);
  const weights = splat(weight);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let product = ones;
  let logarithms: f64 = 0;
  let blocks = 0;
  let at = row;
  while (at < end) {
    const full = at + 16 <= end;
    const x = loadLanes(at, full);
    const e = exp4(f32x4.neg(f32x4.abs(x))); // at most 1
    const numerator = v128.bitselect(one, e, f32x4.ge(x, splat(0)));
    storeLanes(at, f32x4.mul(weights, f32x4.div(numerator, f32x4.add(one, e))), full);
    const positive = f32x4.pmax(splat(0), x);
    low = f64x2.add(low, f64x2.promote_low_f32x4(positive));
    const factors = f64x2.add(ones, f64x2.promote_low_f32x4(e));
    if (full) {
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(positive, positive, 2, 3, 0, 1)));
      const others = f64x2.add(ones, f64x2.promote_low_f32x4(v128.shuffle<f32>(e, e, 2, 3, 0, 1)));
      product = f64x2.mul(product, f64x2.mul(factors, others));
    } else {
      product = f64x2.mul(product, f64x2.replace_lane(factors, 1, 1)); // the second lane is padding
    }
    if (++blocks == FACTOR_BLOCKS) {
      logarithms += logOfLanes(product);
      product = ones;
      blocks = 0;
    }
    at += full ? 16 : 4;
  }
  const sums = f64x2.add(low, high);
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1) + logarithms + logOfLanes(product);
}

export function binaryCrossEntropy(logits: usize, targets: usize, weights: usize, rows: i32, classes: i32, positiveWeight: f32): f64 {
  const rowBytes = <usize>classes << 2;
  let loss: f64 = 0;
  for (let row: usize = 0; row < <usize>rows; ++row, logits += rowBytes) {
    const weight = load<f32>(weights + (row << 2));
    if (weight == 0) {
      memory.fill(logits, 0, rowBytes);
      continue;
    }
    const target = logits + (<usize>load<i32>(targets + (row << 2)) << 2);
    const right = load<f32>(target);
    store<f32>(target, -Infinity); // as a wrong class it costs nothing
    const wrong = sigmoids(logits, logits + rowBytes, weight);
    store<f32>(target, -right);
    loss += <f64>weight * (wrong + <f64>positiveWeight * sigmoids(target, target + 4, weight * positiveWeight));
    store<f32>(target, -load<f32>(target));
  }
  return loss;
}

@inline
function adamLanes(
  parameters: usize,
  gradients: usize,
  first: usize,
  second: usize,
  beta1: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
  stepSize: v128,
  correction: v128,
  epsilon: v128,
  decay: v128,
  full: bool,
): void {
  const g = loadLanes(gradients, full);
  const m = multiplyAdd(loadLanes(first, full), beta1, f32x4.mul(g, rest1));
  const v = multiplyAdd(loadLanes(second, full), beta2, f32x4.mul(f32x4.mul(g, g), rest2));
  storeLanes(first, m, full);
  storeLanes(second, v, full);
  const denominator = multiplyAdd(f32x4.sqrt(v), correction, epsilon);
  const kept = f32x4.mul(loadLanes(parameters, full), decay);
  storeLanes(parameters, f32x4.sub(kept, f32x4.mul(stepSize, f32x4.div(m, denominator))), full);
}

/** `rest` is 1 - beta, which float32 would lose digits of; `stepSize` is the learning rate over 1 - beta1^t, `correction` 1 / sqrt(1 - beta2^t), `decay` 1 - rate · weight decay. */
export function adamW(
  parameters: usize,
  gradients: usize,
  first: usize,
  second: usize,
  length: i32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  stepSize: f32,
  correction: f32,
  epsilon: f32,
  decay: f32,
): void {
  const b1 = splat(beta1);
  const r1 = splat(rest1);
  const b2 = splat(beta2);
  const r2 = splat(rest2);
  const size = splat(stepSize);
  const corrected = splat(correction);
  const e = splat(epsilon);
  const kept = splat(decay);
  const bytes = <usize>length << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    adamLanes(parameters + at, gradients + at, first + at, second + at, b1, r1, b2, r2, size, corrected, e, kept, true);
  }
  for (; at < bytes; at += 4) {
    adamLanes(parameters + at, gradients + at, first + at, second + at, b1, r1, b2, r2, size, corrected, e, kept, false);
  }
}

/** Summed in float64, so that a long array loses nothing. */
export function sumOfSquares(x: usize, length: i32): f64 {
  const end = x + (<usize>length << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; x + 16 <= end; x += 16) {
    const values = v128.load(x);
    const a = f64x2.promote_low_f32x4(values);
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(values, values, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; x < end; x += 4) {
    const value = <f64>load<f32>(x);
    sum += value * value;
  }
  return sum;
}
