import type { TrainingKernels } from '../training-kernels.ts';

/** out [m, n] = a · b (+ out), each element summed in float64; see TrainingKernels.matmul. */
export const matmul: TrainingKernels['matmul'] = (out, a, b, { m, n, k }, options = {}) => {
  const { transposeA = false, transposeB = false, accumulate = false } = options;
  const rowA = transposeA ? 1 : k;
  const stepA = transposeA ? m : 1;
  const stepB = transposeB ? 1 : n;
  const columnB = transposeB ? k : 1;
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = accumulate ? out[i * n + j]! : 0;
      for (let p = 0, atA = i * rowA, atB = j * columnB; p < k; p += 1, atA += stepA, atB += stepB) sum += a[atA]! * b[atB]!;
      out[i * n + j] = sum;
    }
  }
};
