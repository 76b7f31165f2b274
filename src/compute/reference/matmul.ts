import type { TrainingKernels } from '../training-kernels.ts';

/** out [m, n] = a · b (+ out), each element summed in float64; see TrainingKernels.matmul. */
export const matmul: TrainingKernels['matmul'] = (out, a, b, { m, n, k }, options = {}) => {
  const { transposeA = false, transposeB = false, accumulate = false } = options;
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [stepB, columnB] = transposeB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = accumulate ? out[i * n + j]! : 0;
      for (let p = 0; p < k; p += 1) sum += a[i * rowA + p * stepA]! * b[p * stepB + j * columnB]!;
      out[i * n + j] = sum;
    }
  }
};
