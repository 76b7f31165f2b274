import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { createParameters, type Parameter, type ParameterSet } from './parameters.ts';

/** α / r: what a step of the factors moves their product by, whatever the rank (α = 2 r is the usual choice). */
const SCALE = 2;

/**
 * A matrix W [rows, columns] that is tuned by a difference of low rank: W + α/r · B · A, A [rank, columns] drawn at random, B [rows, rank]
 * zeros, so that tuning starts from W itself (Hu et al. 2022, section 4.1). The sum is a matrix like any other: nothing that reads it
 * knows how it was tuned, and it ships as such.
 */
export class LowRankMatrix {
  readonly rank: number;
  /** `lora.a` and `lora.b` */
  readonly parameters: ParameterSet;
  readonly #kernels: TrainingKernels;
  readonly #base: Float32Array; // [rows, columns]
  readonly #sum: Float32Array; // [rows, columns]
  readonly #rows: number;
  readonly #columns: number;
  readonly #a: Parameter;
  readonly #b: Parameter;

  /** `matrix` is kernel memory: its values now are W, and `refresh()` writes the sum there. */
  constructor(matrix: Float32Array, [rows, columns]: readonly [number, number], rank: number, kernels: TrainingKernels, random: Random) {
    this.rank = Math.min(rank, rows, columns);
    this.parameters = createParameters(kernels, random, {
      'lora.a': { shape: [this.rank, columns], spread: Math.sqrt(3 / columns) },
      'lora.b': { shape: [rows, this.rank], spread: 0 },
    });
    this.#a = this.parameters.get('lora.a')!;
    this.#b = this.parameters.get('lora.b')!;
    this.#kernels = kernels;
    this.#base = matrix.slice();
    this.#sum = matrix;
    this.#rows = rows;
    this.#columns = columns;
  }

  /** W + α/r · B · A, after each step of the factors. */
  refresh(): void {
    this.#kernels.matmul(this.#sum, this.#b.values, this.#a.values, { m: this.#rows, n: this.#columns, k: this.rank });
    for (let at = 0; at < this.#sum.length; at++) this.#sum[at] = this.#base[at]! + SCALE * this.#sum[at]!;
  }

  /** Adds the factors' gradients, from d(loss)/d(sum) [rows, columns] in kernel memory, which is overwritten. */
  addGradient(gradient: Float32Array): void {
    this.#kernels.scale(gradient, SCALE);
    this.#kernels.matmul(this.#b.gradient, gradient, this.#a.values, { m: this.#rows, n: this.rank, k: this.#columns }, { transposeB: true, accumulate: true });
    this.#kernels.matmul(this.#a.gradient, this.#b.values, gradient, { m: this.rank, n: this.#columns, k: this.#rows }, { transposeA: true, accumulate: true });
  }

  /**
   * The same from the rows that went through the matrix, out = x · Wᵀ, without a gradient of the matrix itself: x [n, columns],
   * d(loss)/d(out) [n, rows] and room for [n, rank], all kernel memory.
   */
  addGradientOfRows(x: Float32Array, gradientOut: Float32Array, n: number, room: Float32Array): void {
    const { rank } = this;
    const kernels = this.#kernels;
    kernels.matmul(room, x, this.#a.values, { m: n, n: rank, k: this.#columns }, { transposeB: true });
    kernels.scale(room.subarray(0, n * rank), SCALE);
    kernels.matmul(this.#b.gradient, gradientOut, room, { m: this.#rows, n: rank, k: n }, { transposeA: true, accumulate: true });
    kernels.matmul(room, gradientOut, this.#b.values, { m: n, n: rank, k: this.#rows });
    kernels.scale(room.subarray(0, n * rank), SCALE);
    kernels.matmul(this.#a.gradient, room, x, { m: rank, n: this.#columns, k: n }, { transposeA: true, accumulate: true });
  }
}
