import { loadLanes, splat, storeLanes } from './lanes';
import { gatesBackward, gatesForward } from './lstm-gates';
import { edgeStart, matmul } from './matmul';
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
export function lstmForwardBytes(batch: i32, hidden: i32): usize {
  return rightBytes(4 * hidden, hidden) + (<usize>(batch * hidden) << 2) + leftBytes(batch, hidden);
}

/** See TrainingKernels.lstmForward; `work` has `lstmForwardBytes()`. */
export function lstmForward(
  gates: usize,
  hidden: usize,
  cell: usize,
  x: usize,
  inputWeights: usize,
  hiddenWeights: usize,
  bias: usize,
  state: usize,
  keep: usize,
  steps: i32,
  batch: i32,
  input: i32,
  size: i32,
  work: usize,
): void {
  const rowBytes = <usize>size << 2;
  const stateBytes = <usize>batch * rowBytes;
  // The inputs of all steps are known: one product instead of `steps` small ones.
  matmul(gates, x, inputWeights, steps * batch, 4 * size, input, false, true, false); // [steps · batch, 4 · size]
  const panels = work;
  const kept = panels + rightBytes(4 * size, size);
  const left = kept + stateBytes;
  packRight(panels, hiddenWeights, rowBytes, 4 * size, size, true);

  let hiddenBefore = state;
  let cellBefore = state + stateBytes;
  for (let t = 0; t < steps; ++t) {
    scaleRows(kept, hiddenBefore, keep, batch, size);
    packLeft(left, kept, rowBytes, batch, size, false);
    multiplyPanels(gates, 4 * rowBytes, left, panels, batch, 4 * size, size, true, edgeStart());
    for (let row: usize = 0; row < <usize>batch; ++row) {
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
  memory.copy(state, hiddenBefore, stateBytes);
  memory.copy(state + stateBytes, cellBefore, stateBytes);
}

/** Bytes of working memory for `lstmBackward`. */
export function lstmBackwardBytes(steps: i32, batch: i32, hidden: i32): usize {
  const stateBytes = <usize>(batch * hidden) << 2;
  return rightBytes(hidden, 4 * hidden) + leftBytes(batch, 4 * hidden) + <usize>(5 * steps + 2) * stateBytes;
}

/** See TrainingKernels.lstmBackward; `work` has `lstmBackwardBytes()`. */
export function lstmBackward(
  gradientInputWeights: usize,
  gradientHiddenWeights: usize,
  gradientBias: usize,
  gradientX: usize,
  gradientHidden: usize,
  gates: usize,
  hidden: usize,
  cell: usize,
  x: usize,
  inputWeights: usize,
  hiddenWeights: usize,
  initialState: usize,
  keep: usize,
  steps: i32,
  batch: i32,
  input: i32,
  size: i32,
  work: usize,
): void {
  const rowBytes = <usize>size << 2;
  const stateBytes = <usize>batch * rowBytes;
  const rows = steps * batch;
  const gradientGates = work; // [steps, batch, 4 · size]
  const hiddenBefore = gradientGates + <usize>(4 * steps) * stateBytes; // [steps, batch, size], already times keep
  const carriedHidden = hiddenBefore + <usize>steps * stateBytes; // [batch, size]
  const carriedCell = carriedHidden + stateBytes; // [batch, size]
  const panels = carriedCell + stateBytes;
  const left = panels + rightBytes(size, 4 * size);
  memory.fill(carriedHidden, 0, 2 * stateBytes);
  packRight(panels, hiddenWeights, rowBytes, size, 4 * size, false);

  for (let t = steps - 1; t >= 0; --t) {
    const at = <usize>t * stateBytes;
    const keepHere = keep + (<usize>(t * batch) << 2);
    const cellBefore = t > 0 ? cell + at - stateBytes : initialState + stateBytes;
    scaleRows(hiddenBefore + at, t > 0 ? hidden + at - stateBytes : initialState, keepHere, batch, size);
    for (let row: usize = 0; row < <usize>batch; ++row) {
      const offset = row * rowBytes;
      const here = at + offset;
      gatesBackward(gradientGates + 4 * here, gradientHidden + here, carriedHidden + offset, carriedCell + offset,
        gates + 4 * here, cell + here, cellBefore + offset, load<f32>(keepHere + (row << 2)), size);
    }
    if (t > 0) {
      packLeft(left, gradientGates + 4 * at, 4 * rowBytes, batch, 4 * size, false);
      multiplyPanels(carriedHidden, rowBytes, left, panels, batch, size, 4 * size, false, edgeStart());
      scaleRows(carriedHidden, carriedHidden, keepHere, batch, size);
    }
  }

  matmul(gradientHiddenWeights, gradientGates, hiddenBefore, 4 * size, size, rows, true, false, true);
  matmul(gradientInputWeights, gradientGates, x, 4 * size, input, rows, true, false, true);
  matmul(gradientX, gradientGates, inputWeights, rows, input, 4 * size, false, false, false);
  for (let row: usize = 0; row < <usize>rows; ++row) {
    const source = gradientGates + 4 * row * rowBytes;
    // 4 · size values: always a multiple of the four lanes.
    for (let at: usize = 0; at < 4 * rowBytes; at += 16) {
      v128.store(gradientBias + at, f32x4.add(v128.load(gradientBias + at), v128.load(source + at)));
    }
  }
}
