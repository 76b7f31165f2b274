// The serving module: the primitives of ../../device.ts. Addresses are bytes, sizes are elements, `work` is scratch memory.
import { loadLanes, splat, storeLanes, tanh4, erf4 } from './lanes';
import { gatesForward } from './lstm-gates';
import { EDGE_BYTES, leftBytes, multiplyPanels, multiplyRow, packLeft } from './panels';

export { attention, meanPool } from './attention';
export { dotRows } from './dot-rows';
export { addLayerNorm } from './layer-norm';
export { leftBytes, packRight, rightBytes } from './panels';

@inline
function edgeStart(): usize {
  return (__heap_base + 63) & ~63;
}

/** The first address that callers may use. */
export function heapStart(): usize {
  return edgeStart() + EDGE_BYTES;
}

/** out [n, m] = x [n, k] · packed weights (+ out); `work` has `leftBytes(n, k)`. */
export function multiplyPacked(out: usize, x: usize, panels: usize, n: i32, m: i32, k: i32, accumulate: bool, work: usize): void {
  if (n == 1) {
    multiplyRow(out, x, panels, m, k, accumulate, edgeStart());
    return;
  }
  packLeft(work, x, <usize>k << 2, n, k, false);
  multiplyPanels(out, <usize>m << 2, work, panels, n, m, k, accumulate, edgeStart());
}

// The codes of ACTIVATION_CODES in ../primitives.ts.
const RELU: i32 = 1;
const GELU: i32 = 2;
const TANH: i32 = 3;

@inline
function activate(x: v128, activation: i32): v128 {
  if (activation == RELU) return f32x4.pmax(x, splat(0));
  if (activation == GELU) {
    const half = f32x4.mul(x, splat(0.5));
    return f32x4.add(half, f32x4.mul(half, erf4(f32x4.mul(x, splat(0.7071067811865476)))));
  }
  if (activation == TANH) return tanh4(x);
  return x;
}

/** x [rows, columns] = activation(x + bias), in place; bias 0 is none. */
export function biasActivation(x: usize, bias: usize, rows: i32, columns: i32, activation: i32): void {
  const rowBytes = <usize>columns << 2;
  for (let row = 0; row < rows; ++row, x += rowBytes) {
    let at: usize = 0;
    for (; at + 16 <= rowBytes; at += 16) {
      const shift = bias == 0 ? splat(0) : v128.load(bias + at);
      v128.store(x + at, activate(f32x4.add(v128.load(x + at), shift), activation));
    }
    for (; at < rowBytes; at += 4) {
      const shift = bias == 0 ? splat(0) : loadLanes(bias + at, false);
      storeLanes(x + at, activate(f32x4.add(loadLanes(x + at, false), shift), activation), false);
    }
  }
}

/** Advances `state` [2, batch, size] in place over gates [steps, batch, 4 · size] = x · Wxᵀ; `work` has `leftBytes(batch, size)`. */
export function lstmSteps(state: usize, gates: usize, panels: usize, bias: usize, steps: i32, batch: i32, size: i32, work: usize): void {
  const rowBytes = <usize>size << 2;
  const cells = state + <usize>batch * rowBytes;
  for (let t = 0; t < steps; ++t) {
    multiplyPacked(gates, state, panels, batch, 4 * size, size, true, work);
    for (let row: usize = 0; row < <usize>batch; ++row) {
      const at = row * rowBytes;
      gatesForward(gates, bias, cells + at, 1.0, state + at, cells + at, size);
      gates += 4 * rowBytes;
    }
  }
}
