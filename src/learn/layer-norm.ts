import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Parameter } from './parameters.ts';

const EPSILON = 1e-5;

/** Layer normalisation of rows (Ba et al. 2016) with its gradients; keeps what `backward` needs of the last `forward`. */
export class LayerNorm {
  /** [rows, columns]: what `forward` gave. */
  readonly out: Float32Array;
  readonly #gain: Parameter; // [columns]
  readonly #bias: Parameter; // [columns]
  readonly #normalised: Float32Array; // [rows, columns]
  readonly #inverse: Float32Array; // [rows]: 1 / deviation

  constructor(rows: number, gain: Parameter, bias: Parameter, kernels: TrainingKernels) {
    const columns = gain.values.length;
    this.#gain = gain;
    this.#bias = bias;
    this.out = kernels.allocate(rows * columns);
    this.#normalised = new Float32Array(rows * columns);
    this.#inverse = new Float32Array(rows);
  }

  forward(x: Float32Array): Float32Array {
    const gain = this.#gain.values;
    const bias = this.#bias.values;
    const columns = gain.length;
    for (let row = 0; row < this.#inverse.length; row++) {
      const start = row * columns;
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += x[start + k]!;
      const mean = sum / columns;
      let squares = 0;
      for (let k = 0; k < columns; k++) squares += (x[start + k]! - mean) ** 2;
      const inverse = 1 / Math.sqrt(squares / columns + EPSILON);
      this.#inverse[row] = inverse;
      for (let k = 0; k < columns; k++) {
        const value = (x[start + k]! - mean) * inverse;
        this.#normalised[start + k] = value;
        this.out[start + k] = value * gain[k]! + bias[k]!;
      }
    }
    return this.out;
  }

  /** Adds d(loss)/d(x) to `xGradient`, and to the gradients of gain and bias. */
  backward(xGradient: Float32Array, outGradient: Float32Array): void {
    const gain = this.#gain.values;
    const columns = gain.length;
    for (let row = 0; row < this.#inverse.length; row++) {
      const start = row * columns;
      let sum = 0;
      let along = 0;
      for (let k = 0; k < columns; k++) {
        const g = outGradient[start + k]!;
        const value = this.#normalised[start + k]!;
        this.#gain.gradient[k]! += g * value;
        this.#bias.gradient[k]! += g;
        sum += g * gain[k]!;
        along += g * gain[k]! * value;
      }
      const inverse = this.#inverse[row]!;
      for (let k = 0; k < columns; k++) {
        xGradient[start + k]! += inverse * (outGradient[start + k]! * gain[k]! - (sum + this.#normalised[start + k]! * along) / columns);
      }
    }
  }
}
