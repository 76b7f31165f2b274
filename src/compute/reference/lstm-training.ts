import type { TrainingKernels } from '../training-kernels.ts';
import { sigmoid } from './activations.ts';
import { matmul } from './matmul.ts';


/** target [rows, size] = source · factors[row]. */
function scaleRows(target: Float32Array, source: Float32Array, factors: Float32Array, size: number): void {
  for (let i = 0; i < target.length; i += 1) target[i] = source[i]! * factors[Math.floor(i / size)]!;
}

/** See TrainingKernels.lstmForward. */
export const referenceLstmForward: TrainingKernels['lstmForward'] = (tape, x, parameters, state, keep, shape) => {
  const { steps, batch, input, hidden: size } = shape;
  const { inputWeights, hiddenWeights, bias } = parameters;
  const stateSize = batch * size;
  matmul(tape.gates, x, inputWeights, { m: steps * batch, n: 4 * size, k: input }, { transposeB: true });
  const kept = new Float32Array(stateSize); // [batch, hidden]
  for (let t = 0; t < steps; t += 1) {
    const keepHere = keep.subarray(t * batch, (t + 1) * batch);
    const gates = tape.gates.subarray(t * 4 * stateSize, (t + 1) * 4 * stateSize); // [batch, 4 · hidden]
    scaleRows(kept, state.subarray(0, stateSize), keepHere, size);
    matmul(gates, kept, hiddenWeights, { m: batch, n: 4 * size, k: size }, { transposeB: true, accumulate: true });
    for (let row = 0; row < batch; row += 1) {
      for (let j = 0; j < size; j += 1) {
        const gate = (row * 4) * size + j;
        const unit = row * size + j;
        const i = sigmoid(gates[gate]! + bias[j]!);
        const f = sigmoid(gates[gate + size]! + bias[size + j]!);
        const g = Math.tanh(gates[gate + 2 * size]! + bias[2 * size + j]!);
        const o = sigmoid(gates[gate + 3 * size]! + bias[3 * size + j]!);
        const c = f * (state[stateSize + unit]! * keepHere[row]!) + i * g;
        gates[gate] = i;
        gates[gate + size] = f;
        gates[gate + 2 * size] = g;
        gates[gate + 3 * size] = o;
        tape.cell[t * stateSize + unit] = state[stateSize + unit] = c;
        tape.hidden[t * stateSize + unit] = state[unit] = o * Math.tanh(c);
      }
    }
  }
};

/** See TrainingKernels.lstmBackward. */
export const referenceLstmBackward: TrainingKernels['lstmBackward'] = (
  gradients, gradientX, gradientHidden, tape, x, parameters, initialState, keep, shape,
) => {
  const { steps, batch, input, hidden: size } = shape;
  const stateSize = batch * size;
  const rows = steps * batch;
  const gradientGates = new Float32Array(4 * steps * stateSize); // [steps, batch, 4 · hidden]
  const hiddenBefore = new Float32Array(steps * stateSize); // [steps, batch, hidden], already times keep
  const carriedHidden = new Float32Array(stateSize); // [batch, hidden]
  const carriedCell = new Float32Array(stateSize); // [batch, hidden]

  for (let t = steps - 1; t >= 0; t -= 1) {
    const start = t * stateSize;
    const keepHere = keep.subarray(t * batch, (t + 1) * batch);
    const before = t > 0 ? tape.hidden.subarray(start - stateSize, start) : initialState.subarray(0, stateSize);
    const cellBefore = t > 0 ? tape.cell.subarray(start - stateSize, start) : initialState.subarray(stateSize);
    scaleRows(hiddenBefore.subarray(start, start + stateSize), before, keepHere, size);
    for (let row = 0; row < batch; row += 1) {
      for (let j = 0; j < size; j += 1) {
        const unit = row * size + j;
        const gate = 4 * start + row * 4 * size + j;
        const i = tape.gates[gate]!;
        const f = tape.gates[gate + size]!;
        const g = tape.gates[gate + 2 * size]!;
        const o = tape.gates[gate + 3 * size]!;
        const squashed = Math.tanh(tape.cell[start + unit]!);
        const dh = gradientHidden[start + unit]! + carriedHidden[unit]!;
        const dc = carriedCell[unit]! + dh * o * (1 - squashed * squashed);
        gradientGates[gate] = dc * g * i * (1 - i);
        gradientGates[gate + size] = dc * cellBefore[unit]! * keepHere[row]! * f * (1 - f);
        gradientGates[gate + 2 * size] = dc * i * (1 - g * g);
        gradientGates[gate + 3 * size] = dh * squashed * o * (1 - o);
        carriedCell[unit] = dc * f * keepHere[row]!;
      }
    }
    const here = gradientGates.subarray(4 * start, 4 * (start + stateSize)); // [batch, 4 · hidden]
    matmul(carriedHidden, here, parameters.hiddenWeights, { m: batch, n: size, k: 4 * size });
    scaleRows(carriedHidden, carriedHidden, keepHere, size);
  }

  const addTransposed = { transposeA: true, accumulate: true };
  matmul(gradients.hiddenWeights, gradientGates, hiddenBefore, { m: 4 * size, n: size, k: rows }, addTransposed);
  matmul(gradients.inputWeights, gradientGates, x, { m: 4 * size, n: input, k: rows }, addTransposed);
  matmul(gradientX, gradientGates, parameters.inputWeights, { m: rows, n: input, k: 4 * size });
  for (let at = 0; at < gradientGates.length; at += 1) gradients.bias[at % (4 * size)]! += gradientGates[at]!;
};
