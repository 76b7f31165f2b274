import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { createNegativeSampler } from './negative-sampler.ts';

/** Over which items, and how, the next item's score is compared with others'. */
export type ItemLossOptions =
  | { readonly kind: 'softmax' }
  | {
      readonly kind: 'sampled-softmax';
      /** Items compared with, the same for all rows of a step. */
      readonly negatives: number;
      readonly sampler: 'uniform' | 'popularity';
    }
  | {
      readonly kind: 'gbce';
      readonly negatives: number;
      /** t of the paper: 0 is plain binary cross-entropy, overconfident by the share of items not drawn; 1 is calibrated. */
      readonly calibration: number;
    };

export interface LossShape {
  /** At most, in a step. */
  readonly rows: number;
  readonly items: number;
  readonly embedding: number;
}

/** What a step compares; scores are user · itemᵀ + bias. All but `targets` is kernel memory. */
export interface LossBatch {
  readonly rows: number;
  /** [rows, embedding] */
  readonly user: Float32Array;
  /** [slots, embedding], with room for one row more; the drawn items come first. */
  readonly items: Float32Array;
  /** [slots] */
  readonly bias: Float32Array;
  /** Slot of the item that came next, [rows]. */
  readonly targets: Int32Array;
  /** What each row's loss counts, [rows]; 0 for rows that teach nothing. */
  readonly weights: Float32Array;
}

/** Users and compared items are overwritten, biases and other items added to. */
export type LossGradients = Pick<LossBatch, 'user' | 'items' | 'bias'>;

export interface ItemLoss {
  /** The most items that a step draws; null where it compares all. */
  readonly drawn: number | null;
  /** The items to compare with in the next step, distinct; null for all. */
  draw(random: Random): Int32Array | null;
  /** Σ weight · loss, and its gradients. */
  learn(batch: LossBatch, gradients: LossGradients): number;
}

/**
 * The loss of p(next item). `counts` is how often the log has each item, [items], for the popularity sampler.
 *
 * - `softmax`: cross-entropy over all items.
 * - `sampled-softmax`: over the right item and the drawn ones, whose scores are lowered by the log of their chance to be
 *   drawn (log-q correction: Bengio & Senécal 2008), so that the normaliser is unbiased; the right item is always there
 *   and needs none, and is left out where it was drawn as well.
 * - `gbce`: generalised binary cross-entropy (Petrov & Macdonald 2023) over the right item and uniform negatives.
 */
export function createItemLoss(options: ItemLossOptions, shape: LossShape, counts: ArrayLike<number>, kernels: TrainingKernels): ItemLoss {
  switch (options.kind) {
    case 'softmax':
      return fullSoftmax(shape, kernels);
    case 'sampled-softmax': {
      const weights = options.sampler === 'uniform' ? uniform(shape.items) : Float64Array.from(counts, (count) => Math.max(1, count));
      const { inclusion, draw } = createNegativeSampler(weights, options.negatives);
      return sampledLoss(shape, kernels, {
        draw,
        negatives: options.negatives,
        offsetOf: (item) => -Math.log(inclusion[item]!),
        criterion: (scores, targets, rowWeights, size) => kernels.softmaxCrossEntropy(scores, targets, rowWeights, size),
      });
    }
    case 'gbce': {
      const { draw } = createNegativeSampler(uniform(shape.items), options.negatives);
      const negatives = Math.min(options.negatives, shape.items);
      const positiveWeight = positiveWeightOf(negatives / shape.items, options.calibration);
      return sampledLoss(shape, kernels, {
        draw,
        negatives,
        offsetOf: () => 0,
        criterion(scores, targets, rowWeights, { rows, classes }) {
          for (let row = 0; row < rows; row++) rowWeights[row]! /= classes; // the mean over the right item and the others
          return kernels.binaryCrossEntropy(scores, targets, rowWeights, { rows, classes, positiveWeight });
        },
      });
    }
  }
}

/**
 * β of gBCE: α · (t · (1 - 1/α) + 1/α), where α is each wrong item's chance to be drawn. (For t = 1 it is α, and σ(score)
 * becomes the probability of the item; for t = 0 it is 1.)
 */
export function positiveWeightOf(samplingRate: number, calibration: number): number {
  return samplingRate * (calibration * (1 - 1 / samplingRate) + 1 / samplingRate);
}

const uniform = (items: number): Float64Array => new Float64Array(items).fill(1);

function fullSoftmax({ rows: most, items, embedding }: LossShape, kernels: TrainingKernels): ItemLoss {
  const scores = kernels.allocate(most * items); // [rows, items]
  return {
    drawn: null,
    draw: () => null,
    learn(batch, gradients) {
      const { rows, targets, weights } = batch;
      score(kernels, scores, batch, items, embedding);
      kernels.addBias(scores, batch.bias, { rows, columns: items });
      const loss = kernels.softmaxCrossEntropy(scores, targets, weights, { rows, classes: items });
      propagate(kernels, scores, batch, gradients, items, embedding);
      return loss;
    },
  };
}

/** As good as -∞ for a score, without its infinite differences. */
const EXCLUDED = -1e9;

interface SampledCriterion {
  readonly negatives: number;
  readonly draw: (random: Random) => Int32Array;
  /** Added to the score of a drawn item. */
  readonly offsetOf: (item: number) => number;
  /** Overwrites scores with their gradients, like the kernels; may overwrite the weights. */
  readonly criterion: TrainingKernels['softmaxCrossEntropy'];
}

/** Rows of scores [rows, drawn + 1]: one product for what all rows share, and each row's right item in the last column. */
function sampledLoss({ rows: most, embedding }: LossShape, kernels: TrainingKernels, { negatives, draw, offsetOf, criterion }: SampledCriterion): ItemLoss {
  const scores = kernels.allocate(most * (negatives + 1));
  const rowWeights = kernels.allocate(most);
  const columnBias = kernels.allocate(negatives + 1);
  let offsets = new Float32Array(0);
  return {
    drawn: negatives,
    draw(random) {
      const items = draw(random);
      offsets = Float32Array.from(items, offsetOf);
      return items;
    },
    learn(batch, gradients) {
      const { rows, user, items, bias, targets } = batch;
      const last = offsets.length;
      const columns = last + 1;
      score(kernels, scores, batch, columns, embedding);
      for (let slot = 0; slot < last; slot++) columnBias[slot] = bias[slot]! + offsets[slot]!;
      columnBias[last] = 0;
      kernels.addBias(scores, columnBias, { rows, columns });
      for (let row = 0; row < rows; row++) {
        const target = targets[row]!;
        let right = bias[target]!;
        for (let k = 0; k < embedding; k++) right += user[row * embedding + k]! * items[target * embedding + k]!;
        scores[row * columns + last] = right;
        if (target < last) scores[row * columns + target] = EXCLUDED;
      }
      rowWeights.set(batch.weights.subarray(0, rows));
      const loss = criterion(scores, new Int32Array(rows).fill(last), rowWeights, { rows, classes: columns });

      const rightGradient = new Float32Array(rows);
      for (let row = 0; row < rows; row++) {
        rightGradient[row] = scores[row * columns + last]!;
        scores[row * columns + last] = 0;
        if (targets[row]! < last) scores[row * columns + targets[row]!] = 0;
      }
      propagate(kernels, scores, batch, gradients, columns, embedding);
      for (let row = 0; row < rows; row++) {
        const target = targets[row]!;
        const gradient = rightGradient[row]!;
        gradients.bias[target]! += gradient;
        for (let k = 0; k < embedding; k++) {
          gradients.user[row * embedding + k]! += gradient * items[target * embedding + k]!;
          gradients.items[target * embedding + k]! += gradient * user[row * embedding + k]!;
        }
      }
      return loss;
    },
  };
}

/** scores [rows, columns] = user · itemsᵀ, of the first `columns` slots. */
function score(kernels: TrainingKernels, scores: Float32Array, { rows, user, items }: LossBatch, columns: number, embedding: number): void {
  kernels.matmul(scores, user, items, { m: rows, n: columns, k: embedding }, { transposeB: true });
}

/** From d(loss)/d(scores) [rows, columns] to users, items and biases. */
function propagate(kernels: TrainingKernels, scores: Float32Array, { rows, user, items }: LossBatch, gradients: LossGradients, columns: number, embedding: number): void {
  kernels.matmul(gradients.user, scores, items, { m: rows, n: embedding, k: columns });
  kernels.matmul(gradients.items, scores, user, { m: columns, n: embedding, k: rows }, { transposeA: true });
  kernels.addColumns(gradients.bias, scores, { rows, columns });
}
