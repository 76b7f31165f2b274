import type { TrainingKernels } from '../../compute/training-kernels.ts';
import type { Random } from '../../lib/random.ts';
import { LowRankMatrix } from '../lora.ts';
import type { Parameter } from '../parameters.ts';

/** What is trained of a layer: everything, or a difference of low rank to each matrix. */
export type EncoderTuning = { readonly kind: 'last-layer' } | { readonly kind: 'lora'; readonly rank: number };

export interface LinearWeights {
  /** [out, in] */
  readonly weight: Float32Array;
  /** [out] */
  readonly bias: Float32Array;
}

/** out = x · Wᵀ + b on training kernels, with W and b trained, or W by a difference of low rank and b as it is. */
export class TunedLinear {
  /** `weight` and `bias`, or `weight.lora.a` and `weight.lora.b`. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly out: number;
  readonly in: number;
  readonly #kernels: TrainingKernels;
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #difference: LowRankMatrix | null;
  readonly #room: Float32Array;

  /** `rows` is the most that go through at once. */
  constructor({ weight, bias }: LinearWeights, rows: number, tuning: EncoderTuning, kernels: TrainingKernels, random: Random) {
    this.out = bias.length;
    this.in = weight.length / bias.length;
    this.#kernels = kernels;
    const isWhole = tuning.kind === 'last-layer';
    this.#weight = hold(weight, [this.out, this.in], isWhole, kernels);
    this.#bias = hold(bias, [this.out], isWhole, kernels);
    this.#difference = isWhole ? null : new LowRankMatrix(this.#weight.values, [this.out, this.in], tuning.rank, kernels, random);
    this.#room = kernels.allocate(this.#difference ? rows * this.#difference.rank : 1);
    this.parameters = this.#difference
      ? new Map([...this.#difference.parameters].map(([name, parameter]) => [`weight.${name}`, parameter]))
      : new Map([
          ['weight', this.#weight],
          ['bias', this.#bias],
        ]);
  }

  /** The matrix and bias as they stand. */
  get weights(): LinearWeights {
    return { weight: this.#weight.values, bias: this.#bias.values };
  }

  /** Writes out [rows, out] from x [rows, in]. */
  forward(out: Float32Array, x: Float32Array, rows: number): void {
    this.#kernels.matmul(out, x, this.#weight.values, { m: rows, n: this.out, k: this.in }, { transposeB: true });
    this.#kernels.addBias(out, this.#bias.values, { rows, columns: this.out });
  }

  /** Adds to the parameters' gradients, and writes d(loss)/d(x) where it is asked for. */
  backward(gradientX: Float32Array | null, gradientOut: Float32Array, x: Float32Array, rows: number): void {
    if (this.#difference) {
      this.#difference.addGradientOfRows(x, gradientOut, rows, this.#room);
    } else {
      this.#kernels.matmul(this.#weight.gradient, gradientOut, x, { m: this.out, n: this.in, k: rows }, { transposeA: true, accumulate: true });
      this.#kernels.addColumns(this.#bias.gradient, gradientOut, { rows, columns: this.out });
    }
    if (gradientX) this.#kernels.matmul(gradientX, gradientOut, this.#weight.values, { m: rows, n: this.in, k: this.out });
  }

  /** After a step of the parameters. */
  refresh(): void {
    this.#difference?.refresh();
  }
}

/** Values in kernel memory, with room for gradient and moments where they are trained. */
export function hold(values: Float32Array, shape: readonly number[], isTrained: boolean, kernels: TrainingKernels): Parameter {
  const held = kernels.allocate(values.length);
  held.set(values);
  const room = (): Float32Array => kernels.allocate(isTrained ? values.length : 1);
  return { shape, values: held, gradient: room(), first: room(), second: room() };
}
