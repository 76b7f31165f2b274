import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { HiddenAdapter } from '../../src/learn/interest-lanes.ts';
import { createParameters, type Parameter, type ParameterSet } from '../../src/learn/parameters.ts';
import type { Random } from '../../src/lib/random.ts';

export interface BottleneckShape {
  readonly hidden: number;
  readonly units: number;
  /** The most that are read at a time. */
  readonly rows: number;
}

/**
 * A bottleneck adapter (Houlsby et al. 2019, "Parameter-efficient transfer learning for NLP", section 2.1) behind the sequence layer, h' = h + U · tanh(D · h):
 * U starts as zeros, so that training starts from the model's own answers. It does not merge into the matrices before or behind it.
 */
export class Bottleneck implements HiddenAdapter {
  /** `bottleneck.down` [units, hidden] and `bottleneck.up` [hidden, units] */
  readonly parameters: ParameterSet;
  readonly #shape: BottleneckShape;
  readonly #kernels: TrainingKernels;
  readonly #down: Parameter;
  readonly #up: Parameter;
  readonly #given: Float32Array; // [rows, hidden], as it was given
  readonly #squeezed: Float32Array; // [rows, units]
  readonly #squeezedGradient: Float32Array; // [rows, units]

  constructor(shape: BottleneckShape, kernels: TrainingKernels, random: Random) {
    const { hidden, units, rows } = shape;
    this.#shape = shape;
    this.#kernels = kernels;
    this.parameters = createParameters(kernels, random, {
      'bottleneck.down': { shape: [units, hidden], spread: Math.sqrt(3 / hidden) },
      'bottleneck.up': { shape: [hidden, units], spread: 0 },
    });
    this.#down = this.parameters.get('bottleneck.down')!;
    this.#up = this.parameters.get('bottleneck.up')!;
    this.#given = kernels.allocate(rows * hidden);
    this.#squeezed = kernels.allocate(rows * units);
    this.#squeezedGradient = kernels.allocate(rows * units);
  }

  forward(active: Float32Array, rows: number): void {
    const { hidden, units } = this.#shape;
    this.#given.set(active.subarray(0, rows * hidden));
    this.#kernels.matmul(this.#squeezed, active, this.#down.values, { m: rows, n: units, k: hidden }, { transposeB: true });
    for (let at = 0; at < rows * units; at++) this.#squeezed[at] = Math.tanh(this.#squeezed[at]!);
    this.#kernels.matmul(active, this.#squeezed, this.#up.values, { m: rows, n: hidden, k: units }, { transposeB: true, accumulate: true });
  }

  backward(activeGradient: Float32Array, rows: number): void {
    const { hidden, units } = this.#shape;
    const kernels = this.#kernels;
    kernels.matmul(this.#up.gradient, activeGradient, this.#squeezed, { m: hidden, n: units, k: rows }, { transposeA: true });
    kernels.matmul(this.#squeezedGradient, activeGradient, this.#up.values, { m: rows, n: units, k: hidden });
    for (let at = 0; at < rows * units; at++) this.#squeezedGradient[at]! *= 1 - this.#squeezed[at]! ** 2;
    kernels.matmul(this.#down.gradient, this.#squeezedGradient, this.#given, { m: units, n: hidden, k: rows }, { transposeA: true });
    kernels.matmul(activeGradient, this.#squeezedGradient, this.#down.values, { m: rows, n: hidden, k: units }, { accumulate: true });
  }
}
