import type { TrainingKernels } from '../../compute/training-kernels.ts';

/** As good as -∞ for a score, without its infinite differences. */
const EXCLUDED = -1e9;

/** A batch's pairs: row i of one side belongs to row i of the other, and all other rows are its negatives. */
export interface ContrastivePairs {
  /** [pairs, size], unit rows. */
  readonly anchors: Float32Array;
  /** [pairs, size], unit rows. */
  readonly partners: Float32Array;
  /** Whether `partners[j]` is no negative of `anchors[i]`, as when it is the same item. */
  readonly isExcluded: (i: number, j: number) => boolean;
}

export interface ContrastiveLoss {
  /** Mean loss of a pair, and its gradients by anchors and partners, which are overwritten. All but the function is kernel memory. */
  learn(pairs: ContrastivePairs, gradients: { readonly anchors: Float32Array; readonly partners: Float32Array }): number;
}

/**
 * InfoNCE with in-batch negatives (van den Oord et al. 2018, section 2.3), in both directions as in CLIP (Radford et al. 2021, figure 3):
 * cross-entropy of each pair's cosine / temperature among those with the batch's other rows.
 */
export function createContrastiveLoss({ pairs, size, temperature }: { readonly pairs: number; readonly size: number; readonly temperature: number }, kernels: TrainingKernels): ContrastiveLoss {
  const forth = kernels.allocate(pairs * pairs); // [anchors, partners]
  const back = kernels.allocate(pairs * pairs); // [partners, anchors]
  const weights = kernels.allocate(pairs);
  const targets = Int32Array.from({ length: pairs }, (_, pair) => pair);
  return {
    learn({ anchors, partners, isExcluded }, gradients) {
      kernels.matmul(forth, anchors, partners, { m: pairs, n: pairs, k: size }, { transposeB: true });
      for (let i = 0; i < pairs; i++) {
        for (let j = 0; j < pairs; j++) {
          const score = i !== j && isExcluded(i, j) ? EXCLUDED : forth[i * pairs + j]! / temperature;
          forth[i * pairs + j] = back[j * pairs + i] = score;
        }
      }
      let loss = 0;
      for (const scores of [forth, back]) loss += kernels.softmaxCrossEntropy(scores, targets, weights.fill(0.5 / pairs), { rows: pairs, classes: pairs });
      for (let i = 0; i < pairs; i++) for (let j = 0; j < pairs; j++) forth[i * pairs + j] = (forth[i * pairs + j]! + back[j * pairs + i]!) / temperature;
      kernels.matmul(gradients.anchors, forth, partners, { m: pairs, n: size, k: pairs });
      kernels.matmul(gradients.partners, forth, anchors, { m: pairs, n: size, k: pairs }, { transposeA: true });
      return loss;
    },
  };
}
