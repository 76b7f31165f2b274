import { loadLanes, multiplyAdd, sigmoid4, splat, storeLanes, tanh4 } from './lanes';

@inline
function forwardLanes(
  gates: usize,
  bias: usize,
  cellBefore: usize,
  keep: v128,
  hidden: usize,
  cell: usize,
  gateBytes: usize,
  full: bool,
): void {
  const i = sigmoid4(f32x4.add(loadLanes(gates, full), loadLanes(bias, full)));
  const f = sigmoid4(f32x4.add(loadLanes(gates + gateBytes, full), loadLanes(bias + gateBytes, full)));
  const g = tanh4(f32x4.add(loadLanes(gates + 2 * gateBytes, full), loadLanes(bias + 2 * gateBytes, full)));
  const o = sigmoid4(f32x4.add(loadLanes(gates + 3 * gateBytes, full), loadLanes(bias + 3 * gateBytes, full)));
  const c = multiplyAdd(f, f32x4.mul(loadLanes(cellBefore, full), keep), f32x4.mul(i, g));
  storeLanes(gates, i, full);
  storeLanes(gates + gateBytes, f, full);
  storeLanes(gates + 2 * gateBytes, g, full);
  storeLanes(gates + 3 * gateBytes, o, full);
  storeLanes(cell, c, full);
  storeLanes(hidden, f32x4.mul(o, tanh4(c)), full);
}

/**
 * One row of one LSTM step: gates [4 · size] hold x · Wxᵀ + h · Whᵀ and receive their values after bias and nonlinearity;
 * writes hidden and cell [size]. `cell` may be `cellBefore`.
 */
export function gatesForward(
  gates: usize,
  bias: usize,
  cellBefore: usize,
  keep: f32,
  hidden: usize,
  cell: usize,
  size: i32,
): void {
  const gateBytes = <usize>size << 2;
  const kept = splat(keep);
  let at: usize = 0;
  for (; at + 16 <= gateBytes; at += 16) {
    forwardLanes(gates + at, bias + at, cellBefore + at, kept, hidden + at, cell + at, gateBytes, true);
  }
  for (; at < gateBytes; at += 4) {
    forwardLanes(gates + at, bias + at, cellBefore + at, kept, hidden + at, cell + at, gateBytes, false);
  }
}

@inline
function backwardLanes(
  gradientGates: usize,
  gradientHidden: usize,
  carriedHidden: usize,
  carriedCell: usize,
  gates: usize,
  cell: usize,
  cellBefore: usize,
  keep: v128,
  gateBytes: usize,
  full: bool,
): void {
  const one = splat(1.0);
  const i = loadLanes(gates, full);
  const f = loadLanes(gates + gateBytes, full);
  const g = loadLanes(gates + 2 * gateBytes, full);
  const o = loadLanes(gates + 3 * gateBytes, full);
  const squashed = tanh4(loadLanes(cell, full));
  const dh = f32x4.add(loadLanes(gradientHidden, full), loadLanes(carriedHidden, full));
  const through = f32x4.mul(f32x4.mul(dh, o), f32x4.sub(one, f32x4.mul(squashed, squashed)));
  const dc = f32x4.add(loadLanes(carriedCell, full), through);
  const before = f32x4.mul(loadLanes(cellBefore, full), keep);
  storeLanes(gradientGates, f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i))), full);
  storeLanes(gradientGates + gateBytes, f32x4.mul(f32x4.mul(dc, before), f32x4.mul(f, f32x4.sub(one, f))), full);
  storeLanes(gradientGates + 2 * gateBytes, f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g))), full);
  storeLanes(gradientGates + 3 * gateBytes, f32x4.mul(f32x4.mul(dh, squashed), f32x4.mul(o, f32x4.sub(one, o))), full);
  storeLanes(carriedCell, f32x4.mul(f32x4.mul(dc, f), keep), full);
}

/**
 * One row of one LSTM step backwards: from d(loss)/d(hidden) and what later steps carried back, writes d(loss)/d(gates
 * before their nonlinearities) [4 · size] and replaces `carriedCell` by what the step before receives.
 */
export function gatesBackward(
  gradientGates: usize,
  gradientHidden: usize,
  carriedHidden: usize,
  carriedCell: usize,
  gates: usize,
  cell: usize,
  cellBefore: usize,
  keep: f32,
  size: i32,
): void {
  const gateBytes = <usize>size << 2;
  const kept = splat(keep);
  let at: usize = 0;
  for (; at + 16 <= gateBytes; at += 16) {
    backwardLanes(gradientGates + at, gradientHidden + at, carriedHidden + at, carriedCell + at, gates + at, cell + at,
      cellBefore + at, kept, gateBytes, true);
  }
  for (; at < gateBytes; at += 4) {
    backwardLanes(gradientGates + at, gradientHidden + at, carriedHidden + at, carriedCell + at, gates + at, cell + at,
      cellBefore + at, kept, gateBytes, false);
  }
}
