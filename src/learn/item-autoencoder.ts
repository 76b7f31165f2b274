import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { EpochHooks } from './epoch-hooks.ts';
import type { InterestData, InterestTrainingOptions } from './interest-training.ts';
import { trainMultVae } from './mult-vae-training.ts';
import { createBaskets } from '../rank/simple/baskets.ts';
import type { Pretrained } from './pretraining-kinds.ts';

const COMPONENT = 0.3; // root mean square of what the residuals start as: about what the LSTM reads

/**
 * An autoencoder of each shopper's items (Liang et al. 2018, "Variational autoencoders for collaborative filtering"), which has to tell them from half of them:
 * the rows of its last layer, as wide as the embeddings, are what the items' residuals start as.
 */
export async function pretrainAutoencoder({ training, shoppers }: InterestData, kernels: TrainingKernels, { seed, embedding }: InterestTrainingOptions, epochs: number, { onStep, onEpoch }: EpochHooks): Promise<Pretrained> {
  const { users, items, item, offsets } = training;
  const isLearnt = new Uint8Array(users).fill(shoppers ? 0 : 1);
  for (const user of shoppers ?? []) isLearnt[user] = 1;
  const losses: number[] = [];
  const baskets = createBaskets(Array.from(isLearnt, (learnt, user) => ({ user, time: 0, items: learnt === 1 ? [...item.subarray(offsets[user], offsets[user + 1])] : [] })));
  const { output } = await trainMultVae(baskets, items, kernels, {
    seed,
    hidden: embedding,
    latent: embedding,
    epochs,
    onStep,
    onEpoch: (epoch, loss) => {
      losses.push(loss);
      onEpoch?.(epoch, loss);
    },
  });
  const factor = COMPONENT / Math.sqrt(output.reduce((sum, value) => sum + value * value, 0) / output.length);
  return { start: new Map([['residual', output.map((value) => value * factor)]]), losses };
}
