import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { ParameterPlan, ParameterSet } from './parameters.ts';
import type { SequenceLayer, SequenceShape } from './sequence-layer.ts';

export function gruPlan({ input, hidden }: SequenceShape): ParameterPlan {
  const spread = 1 / Math.sqrt(hidden);
  return {
    'gru.input': { shape: [3 * hidden, input], spread },
    'gru.hidden': { shape: [3 * hidden, hidden], spread },
    'gru.bias': { shape: [3 * hidden], spread: 0 },
    'gru.candidateBias': { shape: [hidden], spread: 0 },
  };
}

/**
 * One GRU layer (Cho et al. 2014), gates in the order reset, update, candidate. The reset gate acts after the recurrent product, as in
 * cuDNN: n = tanh(W x + b + r · (U h + c)), h' = (1 - z) n + z h, so that a step has one product of all three gates.
 */
export function createGruLayer({ lanes, steps, input, hidden }: SequenceShape, parameters: ParameterSet, kernels: TrainingKernels): SequenceLayer {
  const rows = lanes * steps;
  const width = 3 * hidden;
  const parameter = (name: string) => parameters.get(`gru.${name}`)!;
  const gates = kernels.allocate(rows * width); // [rows, 3 · hidden]: r, z, n
  const before = kernels.allocate(rows * hidden); // [rows, hidden]: h that each step starts with
  const candidates = kernels.allocate(rows * hidden); // [rows, hidden]: U h + c of the candidate
  const out = kernels.allocate(rows * hidden);
  const state = kernels.allocate(lanes * hidden);
  const recurrent = kernels.allocate(lanes * width);
  const inputGradient = kernels.allocate(rows * width); // of W x + b
  const recurrentGradient = kernels.allocate(rows * width); // of U h
  const carried = kernels.allocate(lanes * hidden); // d(loss)/d(h) from the step after
  return {
    resetState: () => state.fill(0),
    forward(x, keep) {
      const candidateBias = parameter('candidateBias').values;
      kernels.matmul(gates, x, parameter('input').values, { m: rows, n: width, k: input }, { transposeB: true });
      kernels.addBias(gates, parameter('bias').values, { rows, columns: width });
      for (let step = 0; step < steps; step++) {
        const first = step * lanes;
        const start = before.subarray(first * hidden, (first + lanes) * hidden); // [lanes, hidden]
        for (let at = 0; at < start.length; at++) start[at] = state[at]! * keep[first + Math.floor(at / hidden)]!;
        kernels.matmul(recurrent, start, parameter('hidden').values, { m: lanes, n: width, k: hidden }, { transposeB: true });
        for (let lane = 0; lane < lanes; lane++) {
          const gate = (first + lane) * width;
          const own = lane * width;
          for (let k = 0; k < hidden; k++) {
            const reset = sigmoid(gates[gate + k]! + recurrent[own + k]!);
            const update = sigmoid(gates[gate + hidden + k]! + recurrent[own + hidden + k]!);
            const candidate = recurrent[own + 2 * hidden + k]! + candidateBias[k]!;
            const fresh = Math.tanh(gates[gate + 2 * hidden + k]! + reset * candidate);
            const at = lane * hidden + k;
            gates[gate + k] = reset;
            gates[gate + hidden + k] = update;
            gates[gate + 2 * hidden + k] = fresh;
            candidates[first * hidden + at] = candidate;
            state[at] = fresh + update * (start[at]! - fresh);
          }
        }
        out.set(state, first * hidden);
      }
      return out;
    },
    backward(xGradient, hiddenGradient, x, keep) {
      const candidateBiasGradient = parameter('candidateBias').gradient;
      carried.fill(0);
      for (let step = steps - 1; step >= 0; step--) {
        for (let lane = 0; lane < lanes; lane++) {
          const row = step * lanes + lane;
          for (let k = 0; k < hidden; k++) {
            const gate = row * width + k;
            const at = row * hidden + k;
            const [reset, update, fresh] = [gates[gate]!, gates[gate + hidden]!, gates[gate + 2 * hidden]!];
            const g = hiddenGradient[at]! + carried[lane * hidden + k]!;
            const freshGradient = g * (1 - update) * (1 - fresh * fresh);
            const resetGradient = freshGradient * candidates[at]! * reset * (1 - reset);
            const updateGradient = g * (before[at]! - fresh) * update * (1 - update);
            inputGradient[gate] = recurrentGradient[gate] = resetGradient;
            inputGradient[gate + hidden] = recurrentGradient[gate + hidden] = updateGradient;
            inputGradient[gate + 2 * hidden] = freshGradient;
            recurrentGradient[gate + 2 * hidden] = freshGradient * reset;
            candidateBiasGradient[k]! += freshGradient * reset;
            carried[lane * hidden + k] = g * update;
          }
        }
        const own = recurrentGradient.subarray(step * lanes * width, (step + 1) * lanes * width);
        kernels.matmul(carried, own, parameter('hidden').values, { m: lanes, n: hidden, k: width }, { accumulate: true });
        for (let at = 0; at < carried.length; at++) carried[at]! *= keep[step * lanes + Math.floor(at / hidden)]!;
      }
      kernels.matmul(parameter('input').gradient, inputGradient, x, { m: width, n: input, k: rows }, { transposeA: true, accumulate: true });
      kernels.matmul(parameter('hidden').gradient, recurrentGradient, before, { m: width, n: hidden, k: rows }, { transposeA: true, accumulate: true });
      kernels.addColumns(parameter('bias').gradient, inputGradient, { rows, columns: width });
      kernels.matmul(xGradient, inputGradient, parameter('input').values, { m: rows, n: input, k: width });
    },
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
