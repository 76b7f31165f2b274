// Matrix products on packed panels: a panel holds 4 rows of a or 8 columns of b, interleaved along k, so that the inner
// loop reads both sides in order. 4 x 8 outputs need 8 accumulators and 4 more registers: all 16 that x64 has would spill.
import { splat, multiplyAdd } from './lanes';

/** Interleaves 4 rows [rows <= 4, k] (stride in bytes) as [k][4], `step` bytes apart; missing rows become zeros. */
export function packRows(target: usize, step: usize, source: usize, stride: usize, rows: i32, k: i32): void {
  let p = 0;
  if (rows >= 4) {
    const s1 = source + stride;
    const s2 = s1 + stride;
    const s3 = s2 + stride;
    for (; p + 4 <= k; p += 4) {
      const offset = <usize>p << 2;
      const a = v128.load(source + offset);
      const b = v128.load(s1 + offset);
      const c = v128.load(s2 + offset);
      const d = v128.load(s3 + offset);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(target, v128.shuffle<f64>(ab0, cd0, 0, 2));
      v128.store(target + step, v128.shuffle<f64>(ab0, cd0, 1, 3));
      v128.store(target + 2 * step, v128.shuffle<f64>(ab1, cd1, 0, 2));
      v128.store(target + 3 * step, v128.shuffle<f64>(ab1, cd1, 1, 3));
      target += 4 * step;
    }
  }
  for (; p < k; ++p) {
    for (let row = 0; row < 4; ++row) {
      store<f32>(target + (<usize>row << 2), row < rows ? load<f32>(source + <usize>row * stride + (<usize>p << 2)) : 0);
    }
    target += step;
  }
}

/** Copies 4 columns [k, columns <= 4] (stride in bytes) as [k][4], `step` bytes apart; missing columns become zeros. */
function packColumns(target: usize, step: usize, source: usize, stride: usize, columns: i32, k: i32): void {
  for (let p = 0; p < k; ++p) {
    if (columns >= 4) {
      v128.store(target, v128.load(source));
    } else {
      for (let column = 0; column < 4; ++column) {
        store<f32>(target + (<usize>column << 2), column < columns ? load<f32>(source + (<usize>column << 2)) : 0);
      }
    }
    target += step;
    source += stride;
  }
}

/** a -> [ceil(m / 4)][k][4]. `a` is [m, k] or, transposed, [k, m]; `stride` is the bytes from one of its rows to the next. */
export function packLeft(target: usize, a: usize, stride: usize, m: i32, k: i32, transposed: bool): void {
  for (let i = 0; i < m; i += 4) {
    if (transposed) packColumns(target, 16, a + (<usize>i << 2), stride, m - i, k);
    else packRows(target, 16, a + <usize>i * stride, stride, m - i, k);
    target += <usize>k << 4;
  }
}

/** b -> [ceil(n / 8)][k][8]. `b` is [k, n] or, transposed, [n, k]; `stride` is the bytes from one of its rows to the next. */
export function packRight(target: usize, b: usize, stride: usize, n: i32, k: i32, transposed: bool): void {
  for (let j = 0; j < n; j += 8) {
    for (let half = 0; half < 8; half += 4) {
      const column = j + half;
      const place = target + (<usize>half << 2);
      const left = max(n - column, 0);
      if (transposed) packRows(place, 32, b + <usize>column * stride, stride, left, k);
      else packColumns(place, 32, b + (<usize>column << 2), stride, left, k);
    }
    target += <usize>k << 5;
  }
}

/** Bytes of `packLeft` and `packRight`. */
export function leftBytes(m: i32, k: i32): usize {
  return (<usize>((m + 3) & ~3) * <usize>k) << 2;
}

export function rightBytes(n: i32, k: i32): usize {
  return (<usize>((n + 7) & ~7) * <usize>k) << 2;
}

/** out [rows, 8] = a panel · b panel (+ out); `rows` (1 to 4) is a constant wherever this is inlined. */
@inline
function tile(out: usize, stride: usize, a: usize, b: usize, k: i32, rows: i32, accumulate: bool): void {
  let c00 = splat(0);
  let c01 = splat(0);
  let c10 = splat(0);
  let c11 = splat(0);
  let c20 = splat(0);
  let c21 = splat(0);
  let c30 = splat(0);
  let c31 = splat(0);
  for (let p = 0; p < k; ++p) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = multiplyAdd(x, b0, c00);
    c01 = multiplyAdd(x, b1, c01);
    if (rows > 1) {
      x = v128.load_splat<f32>(a, 4);
      c10 = multiplyAdd(x, b0, c10);
      c11 = multiplyAdd(x, b1, c11);
    }
    if (rows > 2) {
      x = v128.load_splat<f32>(a, 8);
      c20 = multiplyAdd(x, b0, c20);
      c21 = multiplyAdd(x, b1, c21);
    }
    if (rows > 3) {
      x = v128.load_splat<f32>(a, 12);
      c30 = multiplyAdd(x, b0, c30);
      c31 = multiplyAdd(x, b1, c31);
    }
    a += 16;
    b += 32;
  }
  finishRow(out, c00, c01, accumulate);
  if (rows > 1) finishRow(out + stride, c10, c11, accumulate);
  if (rows > 2) finishRow(out + 2 * stride, c20, c21, accumulate);
  if (rows > 3) finishRow(out + 3 * stride, c30, c31, accumulate);
}

@inline
function finishRow(out: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    low = f32x4.add(low, v128.load(out));
    high = f32x4.add(high, v128.load(out, 16));
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}

function anyTile(out: usize, stride: usize, a: usize, b: usize, k: i32, rows: i32, accumulate: bool): void {
  if (rows >= 4) tile(out, stride, a, b, k, 4, accumulate);
  else if (rows == 3) tile(out, stride, a, b, k, 3, accumulate);
  else if (rows == 2) tile(out, stride, a, b, k, 2, accumulate);
  else tile(out, stride, a, b, k, 1, accumulate);
}

/** Bytes that `multiplyPanels` needs for a tile that hangs over the right edge. */
export const EDGE_BYTES: usize = 128;

/**
 * out [m, n] = packed a · packed b (+ out); `stride` is the bytes from one row of `out` to the next. Each output is
 * summed along k in order, so that its bits do not depend on how many rows are asked for at once.
 */
export function multiplyPanels(
  out: usize,
  stride: usize,
  a: usize,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  accumulate: bool,
  edge: usize,
): void {
  for (let j = 0; j < n; j += 8) {
    let left = a;
    for (let i = 0; i < m; i += 4) {
      const target = out + <usize>i * stride + (<usize>j << 2);
      if (j + 8 <= n) {
        anyTile(target, stride, left, b, k, m - i, accumulate);
      } else {
        anyTile(edge, 32, left, b, k, m - i, false);
        copyEdge(target, stride, edge, min(m - i, 4), n - j, accumulate);
      }
      left += <usize>k << 4;
    }
    b += <usize>k << 5;
  }
}

/** out [n] = x [k] · packed b (+ out): one row needs no packing, and four panels at once hide the latency of the additions. */
export function multiplyRow(out: usize, x: usize, b: usize, n: i32, k: i32, accumulate: bool, edge: usize): void {
  const panelBytes = <usize>k << 5;
  let j = 0;
  for (; j + 32 <= n; j += 32) {
    let c00 = splat(0);
    let c01 = splat(0);
    let c10 = splat(0);
    let c11 = splat(0);
    let c20 = splat(0);
    let c21 = splat(0);
    let c30 = splat(0);
    let c31 = splat(0);
    let b0 = b;
    let b1 = b0 + panelBytes;
    let b2 = b1 + panelBytes;
    let b3 = b2 + panelBytes;
    for (let p: usize = 0; p < <usize>k; ++p) {
      const value = v128.load_splat<f32>(x + (p << 2));
      c00 = multiplyAdd(value, v128.load(b0), c00);
      c01 = multiplyAdd(value, v128.load(b0, 16), c01);
      c10 = multiplyAdd(value, v128.load(b1), c10);
      c11 = multiplyAdd(value, v128.load(b1, 16), c11);
      c20 = multiplyAdd(value, v128.load(b2), c20);
      c21 = multiplyAdd(value, v128.load(b2, 16), c21);
      c30 = multiplyAdd(value, v128.load(b3), c30);
      c31 = multiplyAdd(value, v128.load(b3, 16), c31);
      b0 += 32;
      b1 += 32;
      b2 += 32;
      b3 += 32;
    }
    finishRow(out, c00, c01, accumulate);
    finishRow(out + 32, c10, c11, accumulate);
    finishRow(out + 64, c20, c21, accumulate);
    finishRow(out + 96, c30, c31, accumulate);
    out += 128;
    b = b3;
  }
  for (; j < n; j += 8, b += panelBytes, out += 32) {
    let c0 = splat(0);
    let c1 = splat(0);
    for (let p: usize = 0; p < <usize>k; ++p) {
      const value = v128.load_splat<f32>(x + (p << 2));
      c0 = multiplyAdd(value, v128.load(b + (p << 5)), c0);
      c1 = multiplyAdd(value, v128.load(b + (p << 5), 16), c1);
    }
    if (j + 8 <= n) {
      finishRow(out, c0, c1, accumulate);
    } else {
      finishRow(edge, c0, c1, false);
      copyEdge(out, 0, edge, 1, n - j, accumulate);
    }
  }
}

function copyEdge(target: usize, stride: usize, edge: usize, rows: i32, columns: i32, accumulate: bool): void {
  for (let row = 0; row < rows; ++row) {
    for (let column = 0; column < columns; ++column) {
      const address = target + (<usize>column << 2);
      const value = load<f32>(edge + (<usize>column << 2));
      store<f32>(address, accumulate ? load<f32>(address) + value : value);
    }
    target += stride;
    edge += 32;
  }
}
