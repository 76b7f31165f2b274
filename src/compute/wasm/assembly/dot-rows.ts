import { loadLanes, multiplyAdd, splat } from './lanes';

/** The dot products of x [k] with four rows, one in each lane. */
@inline
function dotFour(x: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let sumA = splat(0);
  let sumB = splat(0);
  let sumC = splat(0);
  let sumD = splat(0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const value = v128.load(x + at);
    sumA = multiplyAdd(value, v128.load(a + at), sumA);
    sumB = multiplyAdd(value, v128.load(b + at), sumB);
    sumC = multiplyAdd(value, v128.load(c + at), sumC);
    sumD = multiplyAdd(value, v128.load(d + at), sumD);
  }
  for (; at < bytes; at += 4) {
    const value = loadLanes(x + at, false);
    sumA = multiplyAdd(value, loadLanes(a + at, false), sumA);
    sumB = multiplyAdd(value, loadLanes(b + at, false), sumB);
    sumC = multiplyAdd(value, loadLanes(c + at, false), sumC);
    sumD = multiplyAdd(value, loadLanes(d + at, false), sumD);
  }
  const ab = f32x4.add(v128.shuffle<f32>(sumA, sumB, 0, 4, 1, 5), v128.shuffle<f32>(sumA, sumB, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(sumC, sumD, 0, 4, 1, 5), v128.shuffle<f32>(sumC, sumD, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f64>(ab, cd, 0, 2), v128.shuffle<f64>(ab, cd, 1, 3));
}

/**
 * out[i] = x [k] · row i of rows [count, k], `step` bytes apart in `out`: memory-bound, so nothing is packed. A last
 * group of fewer than four rows repeats its first.
 */
export function dotRows(out: usize, step: usize, x: usize, rows: usize, count: i32, k: i32): void {
  const bytes = <usize>k << 2;
  for (; count > 0; count -= 4, rows += 4 * bytes, out += 4 * step) {
    const b = count > 1 ? rows + bytes : rows;
    const c = count > 2 ? b + bytes : rows;
    const d = count > 3 ? c + bytes : rows;
    const sums = dotFour(x, rows, b, c, d, bytes);
    if (count > 3 && step == 4) {
      v128.store(out, sums);
      continue;
    }
    v128.store_lane<f32>(out, sums, 0);
    if (count > 1) v128.store_lane<f32>(out + step, sums, 1);
    if (count > 2) v128.store_lane<f32>(out + 2 * step, sums, 2);
    if (count > 3) v128.store_lane<f32>(out + 3 * step, sums, 3);
  }
}
