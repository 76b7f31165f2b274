import { loadLanes, splat, storeLanes, sumLanes, multiplyAdd } from './lanes';

/** out [rows, size] = (x + residual - mean) / √(variance + epsilon) · gamma + beta, row by row, with the population variance. */
export function addLayerNorm(
  out: usize,
  x: usize,
  residual: usize,
  gamma: usize,
  beta: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
): void {
  const rowBytes = <usize>size << 2;
  for (let row = 0; row < rows; ++row) {
    let total = splat(0);
    let at: usize = 0;
    for (; at + 16 <= rowBytes; at += 16) {
      const sum = f32x4.add(v128.load(x + at), v128.load(residual + at));
      v128.store(out + at, sum);
      total = f32x4.add(total, sum);
    }
    for (; at < rowBytes; at += 4) {
      const sum = f32x4.add(loadLanes(x + at, false), loadLanes(residual + at, false));
      storeLanes(out + at, sum, false);
      total = f32x4.add(total, sum);
    }
    const mean = splat(sumLanes(total) / <f32>size);

    // Differences from the mean before squaring: E[x²] - E[x]² would cancel.
    let squares = splat(0);
    at = 0;
    for (; at + 16 <= rowBytes; at += 16) {
      const centred = f32x4.sub(v128.load(out + at), mean);
      v128.store(out + at, centred);
      squares = multiplyAdd(centred, centred, squares);
    }
    for (; at < rowBytes; at += 4) {
      const centred = load<f32>(out + at) - f32x4.extract_lane(mean, 0);
      store<f32>(out + at, centred);
      squares = f32x4.replace_lane(squares, 0, f32x4.extract_lane(squares, 0) + centred * centred);
    }
    const factor = splat(<f32>1.0 / sqrt<f32>(sumLanes(squares) / <f32>size + epsilon));

    at = 0;
    for (; at + 16 <= rowBytes; at += 16) {
      v128.store(out + at, multiplyAdd(f32x4.mul(v128.load(out + at), factor), v128.load(gamma + at), v128.load(beta + at)));
    }
    for (; at < rowBytes; at += 4) {
      const scaled = f32x4.mul(loadLanes(out + at, false), factor);
      storeLanes(out + at, multiplyAdd(scaled, loadLanes(gamma + at, false), loadLanes(beta + at, false)), false);
    }
    out += rowBytes;
    x += rowBytes;
    residual += rowBytes;
  }
}
