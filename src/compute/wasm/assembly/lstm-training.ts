import { loadLanes, splat, storeLanes } from './lanes';
import { gatesBackward, gatesForward } from './lstm-gates';
import { edgeStart } from './matmul';
import { leftBytes, multiplyPanels, packLeft, packRight, rightBytes } from './panels';

/** target [rows, size] = source · factors[row]; in place too. */
function scaleRows(target: usize, source: usize, factors: usize, rows: i32, size: i32): void {
  const rowBytes = <usize>size << 2;
  for (let row = 0; row < rows; ++row) {
    const factor = splat(load<f32>(factors + (<usize>row << 2)));
    let at: usize = 0;
    for (; at + 16 <= rowBytes; at += 16) storeLanes(target + at, f32x4.mul(loadLanes(source + at, true), factor), true);
    for (; at < rowBytes; at += 4) storeLanes(target + at, f32x4.mul(loadLanes(source + at, false), factor), false);
    target += rowBytes;
    source += rowBytes;
  }
}

/** Bytes of working memory for `lstmForward`. */
export function lstmForwardBytes(lanes: i32, hidden: i32): usize {
  return rightBytes(4 * hidden, hidden) + (<usize>(lanes * hidden) << 2) + leftBytes(lanes, hidden);
}

/**
 * The recurrent part of TrainingKernels.lstmForward for `lanes` of the `batch` lanes, whose first one all addresses name:
 * `gates` hold x · Wxᵀ before. `work` has `lstmForwardBytes()`.
 */
export function lstmForward(
  gates: usize,
  hidden: usize,
  cell: usize,
  hiddenWeights: usize,
  bias: usize,
  state: usize,
  keep: usize,
  steps: i32,
  batch: i32,
  lanes: i32,
  size: i32,
  work: usize,
): void {
  const rowBytes = <usize>size << 2;
  const stateBytes = <usize>batch * rowBytes;
  const lanesBytes = <usize>lanes * rowBytes;
  const panels = work;
  const kept = panels + rightBytes(4 * size, size);
  const left = kept + lanesBytes;
  packRight(panels, hiddenWeights, rowBytes, 4 * size, size, true);

  let hiddenBefore = state;
  let cellBefore = state + stateBytes;
  for (let t = 0; t < steps; ++t) {
    scaleRows(kept, hiddenBefore, keep, lanes, size);
    packLeft(left, kept, rowBytes, lanes, size, false);
    multiplyPanels(gates, 4 * rowBytes, left, panels, lanes, 4 * size, size, true, edgeStart());
    for (let row: usize = 0; row < <usize>lanes; ++row) {
      const at = row * rowBytes;
      gatesForward(gates + 4 * at, bias, cellBefore + at, load<f32>(keep + (row << 2)), hidden + at, cell + at, size);
    }
    hiddenBefore = hidden;
    cellBefore = cell;
    gates += 4 * stateBytes;
    hidden += stateBytes;
    cell += stateBytes;
    keep += <usize>batch << 2;
  }
  memory.copy(state, hiddenBefore, lanesBytes);
  memory.copy(state + stateBytes, cellBefore, lanesBytes);
}

/** Bytes of working memory for `lstmBackward`. */
export function lstmBackwardBytes(lanes: i32, hidden: i32): usize {
  return rightBytes(hidden, 4 * hidden) + leftBytes(lanes, 4 * hidden) + (<usize>(2 * lanes * hidden) << 2);
}

/**
 * The recurrent part of TrainingKernels.lstmBackward for `lanes` of the `batch` lanes, whose first one all addresses name:
 * writes d(loss)/d(gates before their nonlinearities) [steps, batch, 4 · size] and the hidden state that each step
 * started from, already times keep [steps, batch, size]. `work` has `lstmBackwardBytes()`.
 */
export function lstmBackward(
  gradientGates: usize,
  hiddenBefore: usize,
  gradientHidden: usize,
  gates: usize,
  hidden: usize,
  cell: usize,
  hiddenWeights: usize,
  initialState: usize,
  keep: usize,
  steps: i32,
  batch: i32,
  lanes: i32,
  size: i32,
  work: usize,
): void {
  const rowBytes = <usize>size << 2;
  const stateBytes = <usize>batch * rowBytes;
  const lanesBytes = <usize>lanes * rowBytes;
  const carriedHidden = work; // [lanes, size]
  const carriedCell = carriedHidden + lanesBytes; // [lanes, size]
  const panels = carriedCell + lanesBytes;
  const left = panels + rightBytes(size, 4 * size);
  memory.fill(carriedHidden, 0, 2 * lanesBytes);
  packRight(panels, hiddenWeights, rowBytes, size, 4 * size, false);

  for (let t = steps - 1; t >= 0; --t) {
    const at = <usize>t * stateBytes;
    const keepHere = keep + (<usize>(t * batch) << 2);
    const cellBefore = t > 0 ? cell + at - stateBytes : initialState + stateBytes;
    scaleRows(hiddenBefore + at, t > 0 ? hidden + at - stateBytes : initialState, keepHere, lanes, size);
    for (let row: usize = 0; row < <usize>lanes; ++row) {
      const offset = row * rowBytes;
      const here = at + offset;
      gatesBackward(gradientGates + 4 * here, gradientHidden + here, carriedHidden + offset, carriedCell + offset,
        gates + 4 * here, cell + here, cellBefore + offset, load<f32>(keepHere + (row << 2)), size);
    }
    if (t > 0) {
      packLeft(left, gradientGates + 4 * at, 4 * rowBytes, lanes, 4 * size, false);
      multiplyPanels(carriedHidden, rowBytes, left, panels, lanes, size, 4 * size, false, edgeStart());
      scaleRows(carriedHidden, carriedHidden, keepHere, lanes, size);
    }
  }
}
