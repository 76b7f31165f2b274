import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import type { InterestData, InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import { pretrainAutoencoder } from './autoencoder.ts';
import { pretrainMaskedItems } from './masked-items.ts';

export interface PretrainingOptions {
  readonly kind: 'masked items' | 'autoencoder';
  readonly epochs: number;
  /** Whether it learns from the shoppers of the training that follows alone. Default: from all. */
  readonly sameShoppers?: boolean;
}

export interface Pretrained {
  /** What the training's parameters of these names start as. */
  readonly start: ReadonlyMap<string, Float32Array>;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}

/** Learns without being asked for the next item, on the training part of those shoppers that `data` names. */
export function pretrain(data: InterestData, kernels: TrainingKernels, options: InterestTrainingOptions, { kind, epochs }: PretrainingOptions): Pretrained {
  return kind === 'autoencoder' ? pretrainAutoencoder(data, kernels, options, epochs) : pretrainMaskedItems(data, kernels, options, epochs);
}
