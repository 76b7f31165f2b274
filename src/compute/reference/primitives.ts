import { attentionSizes, checkLengths, dimensions } from '../dimensions.ts';
import type { Primitives, Tensor } from '../device.ts';
import { ACTIVATIONS, sigmoid } from './activations.ts';
import { ReferenceTensor } from './tensor.ts';

const valuesOf = (tensor: Tensor): Float32Array => ReferenceTensor.valuesOf(tensor);

/** Shorter vectors than this are left as they are, as in PyTorch's normalize(). */
const LEAST_NORM = 1e-12;

/** Σ a[i] · b[i] over `length` values, in float64. */
function dot(a: Float32Array, startA: number, b: Float32Array, startB: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 1) sum += a[startA + i]! * b[startB + i]!;
  return sum;
}

/** The primitives in plain TypeScript: sums in float64, results in float32. */
export const referencePrimitives: Primitives = {
  input: (values, shape) => new ReferenceTensor(shape, values.slice()),

  linear(x, weight, bias, activation = 'none') {
    const [n, k] = dimensions(x, 2, 'x');
    const [m] = dimensions(weight, 2, 'weight', [undefined, k]);
    if (bias) dimensions(bias, 1, 'bias', [m]);
    const out = new ReferenceTensor([n, m]);
    const rows = valuesOf(x); // [n, k]
    const weights = valuesOf(weight); // [m, k]
    const shifts = bias && valuesOf(bias); // [m]
    const activate = ACTIVATIONS[activation];
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < m; j += 1) {
        out.values[i * m + j] = activate(dot(rows, i * k, weights, j * k, k) + (shifts ? shifts[j]! : 0));
      }
    }
    return out;
  },

  addLayerNorm(x, residual, gamma, beta, epsilon) {
    const [n, size] = dimensions(x, 2, 'x');
    dimensions(residual, 2, 'residual', [n, size]);
    dimensions(gamma, 1, 'gamma', [size]);
    dimensions(beta, 1, 'beta', [size]);
    const out = new ReferenceTensor([n, size]);
    const other = valuesOf(residual);
    const scale = valuesOf(gamma);
    const shift = valuesOf(beta);
    const sums = valuesOf(x).map((value, i) => value + other[i]!); // [n, size]
    for (let row = 0; row < n; row += 1) {
      const values = sums.subarray(row * size, (row + 1) * size);
      const mean = values.reduce((sum, value) => sum + value, 0) / size;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
      const deviation = Math.sqrt(variance + epsilon);
      out.values.set(values.map((value, i) => ((value - mean) / deviation) * scale[i]! + shift[i]!), row * size);
    }
    return out;
  },

  attention(qkv, lengths, heads) {
    const [tokens, width] = dimensions(qkv, 2, 'qkv');
    checkLengths(lengths, tokens);
    const { size, headSize } = attentionSizes(width, heads);
    const out = new ReferenceTensor([tokens, size]);
    const values = valuesOf(qkv); // [tokens, 3 · size]
    let first = 0;
    for (const length of lengths) {
      for (let head = 0; head < heads; head += 1) {
        const query = head * headSize;
        const key = size + query;
        const value = 2 * size + query;
        for (let i = first; i < first + length; i += 1) {
          const scores = Array.from({ length }, (_, j) =>
            dot(values, i * width + query, values, (first + j) * width + key, headSize) / Math.sqrt(headSize));
          const maximum = scores.reduce((a, b) => Math.max(a, b), -Infinity);
          const weights = scores.map((score) => Math.exp(score - maximum));
          const total = weights.reduce((a, b) => a + b, 0);
          for (let d = 0; d < headSize; d += 1) {
            const mixed = weights.reduce((sum, weight, j) => sum + weight * values[(first + j) * width + value + d]!, 0);
            out.values[i * size + query + d] = mixed / total;
          }
        }
      }
      first += length;
    }
    return out;
  },

  meanPool(x, lengths) {
    const [tokens, size] = dimensions(x, 2, 'x');
    checkLengths(lengths, tokens);
    const out = new ReferenceTensor([lengths.length, size]);
    const values = valuesOf(x);
    let first = 0;
    lengths.forEach((length, text) => {
      const mean = new Float64Array(size);
      for (let at = first * size; at < (first + length) * size; at += 1) mean[at % size]! += values[at]! / length;
      const norm = Math.max(Math.hypot(...mean), LEAST_NORM);
      out.values.set(mean.map((value) => value / norm), text * size);
      first += length;
    });
    return out;
  },

  lstm(x, { inputWeights, hiddenWeights, bias }, state) {
    const [steps, batch, input] = dimensions(x, 3, 'x');
    const [, , size] = dimensions(state, 3, 'state', [2, batch, undefined]);
    dimensions(inputWeights, 2, 'inputWeights', [4 * size, input]);
    dimensions(hiddenWeights, 2, 'hiddenWeights', [4 * size, size]);
    dimensions(bias, 1, 'bias', [4 * size]);
    const inputs = valuesOf(x); // [steps, batch, input]
    const fromInput = valuesOf(inputWeights); // [4 · size, input]
    const fromHidden = valuesOf(hiddenWeights); // [4 · size, size]
    const shifts = valuesOf(bias); // [4 · size]
    const out = new ReferenceTensor([2, batch, size], valuesOf(state).slice());
    const hidden = out.values.subarray(0, batch * size);
    const cell = out.values.subarray(batch * size);
    for (let row = 0; row < steps * batch; row += 1) {
      const at = (row % batch) * size;
      const gates = shifts.map((shift, gate) =>
        shift + dot(inputs, row * input, fromInput, gate * input, input) + dot(hidden, at, fromHidden, gate * size, size));
      for (let j = 0; j < size; j += 1) {
        const i = sigmoid(gates[j]!);
        const f = sigmoid(gates[size + j]!);
        const g = Math.tanh(gates[2 * size + j]!);
        const o = sigmoid(gates[3 * size + j]!);
        cell[at + j] = f * cell[at + j]! + i * g;
        hidden[at + j] = o * Math.tanh(cell[at + j]!);
      }
    }
    return out;
  },
};
