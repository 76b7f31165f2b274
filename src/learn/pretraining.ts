import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { EpochHooks } from './epoch-hooks.ts';
import type { InterestData, InterestTrainingOptions } from './interest-training.ts';
import { pretrainAutoencoder } from './item-autoencoder.ts';
import { pretrainMaskedItems } from './masked-items.ts';
import type { Pretrained, PretrainingOptions } from './pretraining-kinds.ts';

/** Learns without being asked for the next item, on the training part of those shoppers that `data` names. The same seed gives the same bytes. */
export function pretrain(data: InterestData, kernels: TrainingKernels, options: InterestTrainingOptions, { kind, epochs }: PretrainingOptions, hooks: EpochHooks = {}): Promise<Pretrained> {
  return kind === 'autoencoder' ? pretrainAutoencoder(data, kernels, options, epochs, hooks) : pretrainMaskedItems(data, kernels, options, epochs, hooks);
}
