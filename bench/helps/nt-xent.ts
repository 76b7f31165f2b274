import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import { scaleRows, unscaleGradients } from '../../src/learn/unit-rows.ts';

const EXCLUDED = -1e9; // as good as -∞ for a score

export interface NtXent {
  /** [2 · pairs, embedding]: first views, then the others in the same order; scaled in place by `learn`. */
  readonly vectors: Float32Array;
  /** d(loss)/d(vectors as they were). */
  readonly gradient: Float32Array;
  /** weight · the mean loss of the first `pairs` pairs' vectors, and its gradient. */
  learn(pairs: number, weight: number): number;
}

/**
 * The normalised temperature-scaled cross-entropy (Chen et al. 2020, "SimCLR", equation 1): each of 2 · pairs vectors is to find its other
 * view among all the others, by cosine / temperature. `pairs` is the most that there are at a time.
 */
export function createNtXent({ pairs: most, embedding, temperature }: { pairs: number; embedding: number; temperature: number }, kernels: TrainingKernels): NtXent {
  const vectors = kernels.allocate(2 * most * embedding);
  const gradient = kernels.allocate(2 * most * embedding);
  const scores = kernels.allocate(4 * most * most);
  const weights = kernels.allocate(2 * most);
  const norms = new Float32Array(2 * most);
  const length = 1 / Math.sqrt(temperature); // of each vector, so that products are cosine / temperature
  return {
    vectors,
    gradient,
    learn(pairs, weight) {
      const rows = 2 * pairs;
      scaleRows(vectors, norms, rows, embedding, length);
      kernels.matmul(scores, vectors, vectors, { m: rows, n: rows, k: embedding }, { transposeB: true });
      for (let row = 0; row < rows; row++) scores[row * rows + row] = EXCLUDED;
      const others = Int32Array.from({ length: rows }, (_, row) => (row + pairs) % rows);
      weights.fill(weight / rows, 0, rows);
      const loss = kernels.softmaxCrossEntropy(scores, others, weights, { rows, classes: rows });
      kernels.matmul(gradient, scores, vectors, { m: rows, n: embedding, k: rows });
      kernels.matmul(gradient, scores, vectors, { m: rows, n: embedding, k: rows }, { transposeA: true, accumulate: true }); // each product is of two vectors
      unscaleGradients(gradient, vectors, norms, rows, embedding, length);
      return loss;
    },
  };
}
