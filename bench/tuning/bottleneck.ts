import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { UserAdapter } from '../../src/learn/interest-lanes.ts';
import { createParameters, type Parameter, type ParameterSet } from '../../src/learn/parameters.ts';
import type { Random } from '../../src/lib/random.ts';

export interface BottleneckShape {
  readonly embedding: number;
  readonly units: number;
  /** The most that are read at a time. */
  readonly rows: number;
}

/**
 * A bottleneck adapter (Houlsby et al. 2019, "Parameter-efficient transfer learning for NLP", section 2.1) behind the user layer, û + U · tanh(D · û): U starts
 * as zeros, so that training starts from the model's own answers. It does not merge into the user layer's matrix.
 */
export class Bottleneck implements UserAdapter {
  /** `bottleneck.down` [units, embedding] and `bottleneck.up` [embedding, units] */
  readonly parameters: ParameterSet;
  readonly #shape: BottleneckShape;
  readonly #kernels: TrainingKernels;
  readonly #down: Parameter;
  readonly #up: Parameter;
  readonly #user: Float32Array; // [rows, embedding], as it was given
  readonly #hidden: Float32Array; // [rows, units]
  readonly #hiddenGradient: Float32Array;

  constructor(shape: BottleneckShape, kernels: TrainingKernels, random: Random) {
    const { embedding, units, rows } = shape;
    this.#shape = shape;
    this.#kernels = kernels;
    this.parameters = createParameters(kernels, random, {
      'bottleneck.down': { shape: [units, embedding], spread: Math.sqrt(3 / embedding) },
      'bottleneck.up': { shape: [embedding, units], spread: 0 },
    });
    this.#down = this.parameters.get('bottleneck.down')!;
    this.#up = this.parameters.get('bottleneck.up')!;
    this.#user = kernels.allocate(rows * embedding);
    this.#hidden = kernels.allocate(rows * units);
    this.#hiddenGradient = kernels.allocate(rows * units);
  }

  forward(user: Float32Array, rows: number): void {
    const { embedding, units } = this.#shape;
    this.#user.set(user.subarray(0, rows * embedding));
    this.#kernels.matmul(this.#hidden, user, this.#down.values, { m: rows, n: units, k: embedding }, { transposeB: true });
    for (let at = 0; at < rows * units; at++) this.#hidden[at] = Math.tanh(this.#hidden[at]!);
    this.#kernels.matmul(user, this.#hidden, this.#up.values, { m: rows, n: embedding, k: units }, { transposeB: true, accumulate: true });
  }

  backward(userGradient: Float32Array, rows: number): void {
    const { embedding, units } = this.#shape;
    const kernels = this.#kernels;
    kernels.matmul(this.#up.gradient, userGradient, this.#hidden, { m: embedding, n: units, k: rows }, { transposeA: true });
    kernels.matmul(this.#hiddenGradient, userGradient, this.#up.values, { m: rows, n: units, k: embedding });
    for (let at = 0; at < rows * units; at++) this.#hiddenGradient[at]! *= 1 - this.#hidden[at]! ** 2;
    kernels.matmul(this.#down.gradient, this.#hiddenGradient, this.#user, { m: units, n: embedding, k: rows }, { transposeA: true });
    kernels.matmul(userGradient, this.#hiddenGradient, this.#down.values, { m: rows, n: embedding, k: units }, { accumulate: true });
  }
}
