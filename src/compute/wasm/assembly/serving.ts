// The primitives of ../../device.ts on float32 weights. Addresses are bytes, sizes are elements, `work` is scratch memory.
import { activate } from './activate';
import { loadLanes, splat, storeLanes } from './lanes';
import { gatesForward } from './lstm-gates';
import { EDGE_BYTES, leftBytes, multiplyPanels, multiplyRow, packLeft } from './panels';

export { attention, attentionBytes } from './attention';
export { dotRows } from './dot-rows';
export { addLayerNorm } from './layer-norm';
export { meanPool } from './mean-pool';
export { packRight, rightBytes } from './panels';

/** Rows that are multiplied at a time: 64 rows of 1,536 float32 stay in the second-level cache while they are multiplied and activated. */
export const BLOCK_ROWS: i32 = 64;

/** Of `work`: the tile of an int8 product. */
export const HEADER_BYTES: usize = 128;

@inline
function edgeStart(): usize {
  return (__heap_base + 63) & ~63;
}

/** The first address that callers may use. */
export function heapStart(): usize {
  return edgeStart() + EDGE_BYTES;
}

/** Bytes of working memory for any product of [n, k] rows; int8 products take less, but in whole groups of 64. */
export function workBytes(n: i32, k: i32): usize {
  return HEADER_BYTES + leftBytes(min(n, BLOCK_ROWS), k + 63);
}

/** out [n, m] = x [n, k] · packed weights (+ out); `work` has `workBytes(n, k)`, n is at most BLOCK_ROWS. */
function multiply(out: usize, x: usize, panels: usize, n: i32, m: i32, k: i32, accumulate: bool, work: usize): void {
  if (n == 1) {
    multiplyRow(out, x, panels, m, k, accumulate, edgeStart());
    return;
  }
  packLeft(work, x, <usize>k << 2, n, k, false);
  multiplyPanels(out, <usize>m << 2, work, panels, n, m, k, accumulate, edgeStart());
}

/** out [n, m] = activation(x [n, k] · packed weights + bias); bias 0 is none. */
export function linear(out: usize, x: usize, panels: usize, bias: usize, n: i32, m: i32, k: i32, activation: i32, work: usize): void {
  for (let block = 0; block < n; block += BLOCK_ROWS) {
    const rows = min(n - block, BLOCK_ROWS);
    multiply(out, x, panels, rows, m, k, false, work);
    if (bias != 0 || activation != 0) biasActivation(out, bias, rows, m, activation);
    out += <usize>(rows * m) << 2;
    x += <usize>(rows * k) << 2;
  }
}

/** x [rows, columns] = activation(x + bias), in place; bias 0 is none. */
export function biasActivation(x: usize, bias: usize, rows: i32, columns: i32, activation: i32): void {
  const rowBytes = <usize>columns << 2;
  for (let row = 0; row < rows; ++row, x += rowBytes) {
    for (let at: usize = 0; at < rowBytes; ) {
      const full = at + 16 <= rowBytes;
      const shift = bias == 0 ? splat(0) : loadLanes(bias + at, full);
      storeLanes(x + at, activate(f32x4.add(loadLanes(x + at, full), shift), activation), full);
      at += full ? 16 : 4;
    }
  }
}

/**
 * Advances `state` [2, batch, size] in place over x [steps, batch, input]; `gates` has room for [steps, batch, 4 · size],
 * `work` for products of steps · batch rows of the input and of `batch` rows of the state.
 */
export function lstm(
  state: usize,
  x: usize,
  inputPanels: usize,
  hiddenPanels: usize,
  bias: usize,
  gates: usize,
  steps: i32,
  batch: i32,
  input: i32,
  size: i32,
  work: usize,
): void {
  const rowBytes = <usize>size << 2;
  const cells = state + <usize>batch * rowBytes;
  // The inputs of all steps are known: one product instead of `steps` small ones.
  linear(gates, x, inputPanels, 0, steps * batch, 4 * size, input, 0, work);
  for (let t = 0; t < steps; ++t) {
    for (let block = 0; block < batch; block += BLOCK_ROWS) {
      const offset = <usize>block * rowBytes;
      multiply(gates + 4 * offset, state + offset, hiddenPanels, min(batch - block, BLOCK_ROWS), 4 * size, size, true, work);
    }
    for (let row: usize = 0; row < <usize>batch; ++row) {
      const at = row * rowBytes;
      gatesForward(gates, bias, cells + at, 1.0, state + at, cells + at, size);
      gates += 4 * rowBytes;
    }
  }
}
