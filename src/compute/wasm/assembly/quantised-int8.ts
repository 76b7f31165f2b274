// Products with int8 weights. Each group of 64 activations in a row becomes x ≈ low + step · q with q of 7 bits: the relaxed dot
// product may read its second operand as signed or unsigned and may saturate sums of two products; with 0 ≤ q ≤ 127 two
// products reach 32,512 and none of that shows, so that the sums are exact and the same on every CPU. Groups, because a few
// columns of BERT's hidden states are far larger than the rest: with one range for a whole row they would cost the others
// most of their bits.
import { activate } from './activate';
import { maxLanes, minLanes, multiplyAdd, splat, storeFirst } from './lanes';
import { BLOCK_ROWS, HEADER_BYTES } from './serving';

const GROUP: i32 = 64;

/** The largest activation: seven bits. */
const LEVELS: f32 = 127;

/** Of a group in a panel: the weights of 8 columns, [16][8][4], and their sums. */
const WEIGHT_BYTES: usize = 64 * 8;
const PANEL_GROUP_BYTES: usize = WEIGHT_BYTES + 8 * 4;

/** Of a group in 4 rows of activations, [16][4][4], and their 4 steps and 4 lows. */
const LEVEL_BYTES: usize = 64 * 4;
const ROWS_GROUP_BYTES: usize = LEVEL_BYTES + 2 * 16;

@inline
function groupsOf(k: i32): i32 {
  return (k + GROUP - 1) / GROUP;
}

@inline
function panelBytes(k: i32): usize {
  return <usize>groupsOf(k) * PANEL_GROUP_BYTES;
}

@inline
function panelsOf(m: i32): usize {
  return <usize>(m + 7) >> 3;
}

/** Bytes of `packQuantised`: a panel for every 8 columns, then the columns' scales. */
export function quantisedBytes(m: i32, k: i32): usize {
  return panelsOf(m) * (panelBytes(k) + 32);
}

/** Weights int8 [m, k] with scales [m] -> panels; what is missing becomes zeros. */
export function packQuantised(target: usize, rows: usize, scales: usize, m: i32, k: i32): void {
  memory.fill(target, 0, quantisedBytes(m, k));
  memory.copy(target + panelsOf(m) * panelBytes(k), scales, <usize>m << 2);
  for (let column = 0; column < m; ++column) {
    const panel = target + <usize>(column >> 3) * panelBytes(k) + (<usize>(column & 7) << 2);
    for (let p = 0; p < k; ++p) {
      const group = panel + <usize>(p / GROUP) * PANEL_GROUP_BYTES;
      const value = load<i8>(rows++);
      store<i8>(group + (<usize>((p % GROUP) >> 2) << 5) + <usize>(p & 3), value);
      store<f32>(group + WEIGHT_BYTES, load<f32>(group + WEIGHT_BYTES) + <f32>value);
    }
  }
}

/** Adding 1.5 · 2^23 rounds to a whole number, which it leaves in the lowest bits. */
const ROUNDER: f32 = 12582912;

/** The levels nearest to `x` as int32; where zero was rounded up, the highest value would otherwise be half a level too high. */
@inline
function nearest(x: v128): v128 {
  const level = f32x4.pmin(f32x4.pmax(x, splat(0)), splat(LEVELS));
  return v128.and(f32x4.add(level, splat(ROUNDER)), i32x4.splat(127));
}

/** Up to 64 values of one row -> its place in a group of four rows. */
function quantise(target: usize, x: usize, count: i32): void {
  const end = x + (<usize>count << 2);
  let low = splat(0);
  let high = splat(0);
  let at = x;
  for (; at + 16 <= end; at += 16) {
    const values = v128.load(at);
    low = f32x4.pmin(low, values);
    high = f32x4.pmax(high, values);
  }
  for (; at < end; at += 4) {
    const value = v128.load_splat<f32>(at);
    low = f32x4.pmin(low, value);
    high = f32x4.pmax(high, value);
  }
  const least = minLanes(low);
  const width = maxLanes(high) - least;
  const inverse: f32 = width > 0 ? LEVELS / width : 0;
  const step = width / LEVELS;
  // A whole number of steps below zero, so that zero itself has no error: most of what GELU gives is almost zero, and
  // equal errors there would add up.
  const zero = -least * inverse + ROUNDER - ROUNDER;
  store<f32>(target + LEVEL_BYTES, step);
  store<f32>(target + LEVEL_BYTES, -zero * step, 16);
  const factor = splat(inverse);
  const offset = splat(zero);
  at = x;
  for (; at + 16 <= end; at += 16, target += 16) {
    const q = nearest(multiplyAdd(v128.load(at), factor, offset));
    const shorts = i16x8.narrow_i32x4_s(q, q);
    v128.store32_lane(target, i8x16.narrow_i16x8_u(shorts, shorts), 0);
  }
  for (; at < end; at += 4, ++target) {
    store<u8>(target, <u8>i32x4.extract_lane(nearest(multiplyAdd(v128.load_splat<f32>(at), factor, offset)), 0));
  }
}

/**
 * Sums of two products in int16, then of two of those in int32. `i32x4.relaxed_dot_i8x16_i7x16_add_s` is one instruction, but
 * the baseline compiler of V8 11.3 gives wrong sums for it.
 */
@inline
function dotAdd(weights: v128, levels: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(weights, levels)));
}

/** sums += step · products + low · Σ weights, for one row and four columns. */
@inline
function widen(sums: usize, products: v128, range: usize, weightSums: usize): void {
  const sum = multiplyAdd(f32x4.convert_i32x4_s(products), v128.load_splat<f32>(range), v128.load(sums));
  v128.store(sums, multiplyAdd(v128.load_splat<f32>(range, 16), v128.load(weightSums), sum));
}

/** sums [4, 8] = 4 rows of activations · 8 columns of weights; `rows` (1 to 4) is a constant wherever this is inlined. */
@inline
function tile(sums: usize, a: usize, b: usize, groups: i32, rows: i32): void {
  memory.fill(sums, 0, 128);
  for (let group = 0; group < groups; ++group) {
    let c00 = i32x4.splat(0);
    let c01 = i32x4.splat(0);
    let c10 = i32x4.splat(0);
    let c11 = i32x4.splat(0);
    let c20 = i32x4.splat(0);
    let c21 = i32x4.splat(0);
    let c30 = i32x4.splat(0);
    let c31 = i32x4.splat(0);
    const end = b + WEIGHT_BYTES;
    for (; b < end; b += 32, a += 16) {
      const w0 = v128.load(b);
      const w1 = v128.load(b, 16);
      let x = v128.load_splat<u32>(a);
      c00 = dotAdd(w0, x, c00);
      c01 = dotAdd(w1, x, c01);
      if (rows > 1) {
        x = v128.load_splat<u32>(a, 4);
        c10 = dotAdd(w0, x, c10);
        c11 = dotAdd(w1, x, c11);
      }
      if (rows > 2) {
        x = v128.load_splat<u32>(a, 8);
        c20 = dotAdd(w0, x, c20);
        c21 = dotAdd(w1, x, c21);
      }
      if (rows > 3) {
        x = v128.load_splat<u32>(a, 12);
        c30 = dotAdd(w0, x, c30);
        c31 = dotAdd(w1, x, c31);
      }
    }
    widen(sums, c00, a, b);
    widen(sums + 16, c01, a, b + 16);
    if (rows > 1) {
      widen(sums + 32, c10, a + 4, b);
      widen(sums + 48, c11, a + 4, b + 16);
    }
    if (rows > 2) {
      widen(sums + 64, c20, a + 8, b);
      widen(sums + 80, c21, a + 8, b + 16);
    }
    if (rows > 3) {
      widen(sums + 96, c30, a + 12, b);
      widen(sums + 112, c31, a + 12, b + 16);
    }
    a += ROWS_GROUP_BYTES - LEVEL_BYTES;
    b += PANEL_GROUP_BYTES - WEIGHT_BYTES;
  }
}

/** out [n, m] = activation(x [n, k] · packed weights + bias); bias 0 is none. `work` has `workBytes(n, k)`. */
export function linearQuantised(out: usize, x: usize, weights: usize, bias: usize, n: i32, m: i32, k: i32, activation: i32, work: usize): void {
  const groups = groupsOf(k);
  const rowsBytes = <usize>groups * ROWS_GROUP_BYTES;
  const scales = weights + panelsOf(m) * panelBytes(k);
  const levels = work + HEADER_BYTES;
  for (let block = 0; block < n; block += BLOCK_ROWS) {
    const rows = min(n - block, BLOCK_ROWS);
    for (let row = 0; row < rows; ++row) {
      const place = levels + <usize>(row >> 2) * rowsBytes + (<usize>(row & 3) << 2);
      for (let group = 0; group < groups; ++group) {
        const count = min(k - group * GROUP, GROUP);
        quantise(place + <usize>group * ROWS_GROUP_BYTES, x, count);
        x += <usize>count << 2;
      }
    }
    for (let j = 0; j < m; j += 8) {
      const panel = weights + <usize>(j >> 3) * panelBytes(k);
      for (let i = 0; i < rows; i += 4) {
        const a = levels + <usize>(i >> 2) * rowsBytes;
        const left = min(rows - i, 4);
        if (left == 4) tile(work, a, panel, groups, 4);
        else if (left == 3) tile(work, a, panel, groups, 3);
        else if (left == 2) tile(work, a, panel, groups, 2);
        else tile(work, a, panel, groups, 1);
        for (let row = 0; row < left; ++row) {
          for (let column = j; column < min(j + 8, m); column += 4) {
            const at = <usize>column << 2;
            const sums = v128.load(work + (<usize>row << 5) + (<usize>(column - j) << 2));
            const values = multiplyAdd(sums, v128.load(scales + at), bias == 0 ? splat(0) : v128.load(bias + at));
            storeFirst(out + (<usize>((i + row) * m) << 2) + at, activate(values, activation), m - column);
          }
        }
      }
    }
    out += <usize>(rows * m) << 2;
  }
}
