import type { TrainingKernels } from '../compute/training-kernels.ts';

/** Weights [out, in] and bias [out] of a linear layer, or their gradients. */
export interface DenseArrays {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface DenseShape {
  readonly rows: number;
  readonly input: number;
  readonly output: number;
}

/** out [rows, output] = x · weightsᵀ + bias. */
export function denseForward(kernels: TrainingKernels, out: Float32Array, x: Float32Array, { weights, bias }: DenseArrays, { rows, input, output }: DenseShape): void {
  kernels.matmul(out, x, weights, { m: rows, n: output, k: input }, { transposeB: true });
  kernels.addBias(out, bias, { rows, columns: output });
}

/** Adds to the gradients of weights and bias, and writes (or, to `accumulate`, adds) d(loss)/d(x). */
export function denseBackward(
  kernels: TrainingKernels,
  xGradient: Float32Array,
  outGradient: Float32Array,
  x: Float32Array,
  { weights }: DenseArrays,
  gradients: DenseArrays,
  { rows, input, output }: DenseShape,
  { accumulate = false } = {},
): void {
  kernels.matmul(gradients.weights, outGradient, x, { m: output, n: input, k: rows }, { transposeA: true, accumulate: true });
  kernels.addColumns(gradients.bias, outGradient, { rows, columns: output });
  kernels.matmul(xGradient, outGradient, weights, { m: rows, n: input, k: output }, { accumulate });
}
