import type { TrainingKernels } from '../compute/training-kernels.ts';
import { RecommenderError } from '../errors.ts';
import { createRandom } from '../lib/random.ts';
import { itemsByUser, type Baskets } from '../rank/simple/baskets.ts';
import type { MultVae } from '../rank/simple/mult-vae.ts';
import type { EpochHooks } from './epoch-hooks.ts';
import { MultVaeNetwork, type MultVaeBatch } from './mult-vae-network.ts';
import { stepAdamW } from './parameters.ts';

export interface MultVaeOptions extends EpochHooks {
  readonly seed?: number;
  /** Units of the two tanh layers (default 200) and of the code (default 64). */
  readonly hidden?: number;
  readonly latent?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  /** Share of a shopper's items that the encoder does not see in training. */
  readonly inputDropout?: number;
  /** β at the end; it rises evenly from 0 over the first half of the steps (section 2.2.2). */
  readonly klWeight?: number;
  /** Shoppers per step. */
  readonly shoppers?: number;
}

/**
 * Trains Mult-VAE on the distinct items of each user. The same seed gives the same bytes.
 * @throws RecommenderError `INVALID_DATA` when no user has an item.
 */
export async function trainMultVae(
  baskets: Baskets,
  itemCount: number,
  kernels: TrainingKernels,
  { seed = 1, hidden = 200, latent = 64, epochs = 60, learningRate = 1e-3, weightDecay = 0, inputDropout = 0.5, klWeight = 0.2, shoppers = 256, onStep, onEpoch }: MultVaeOptions = {},
): Promise<MultVae> {
  const owned = itemsByUser(baskets).filter((items) => items.length > 0);
  if (owned.length === 0) throw new RecommenderError('INVALID_DATA', 'There is no user with an item to learn from.');
  const random = createRandom(seed);
  const network = new MultVaeNetwork({ items: itemCount, hidden, latent, shoppers: Math.min(shoppers, owned.length) }, kernels, random);
  const annealed = (epochs * Math.ceil(owned.length / network.shape.shoppers)) / 2;
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = random.shuffle(Int32Array.from(owned.keys()));
    let loss = 0;
    for (let start = 0; start < order.length; start += network.shape.shoppers) {
      const items = Array.from(order.subarray(start, start + network.shape.shoppers), (shopper) => owned[shopper]!);
      const batch: MultVaeBatch = {
        items,
        values: items.map((own) => inputOf(own.length, () => (random.next() < inputDropout ? 0 : 1 / (1 - inputDropout)))),
        noise: Float32Array.from({ length: items.length * latent }, () => random.normal()),
        klWeight: klWeight * Math.min(1, step / annealed),
      };
      loss += network.learn(batch) * items.length;
      stepAdamW(kernels, network.parameters, { step: ++step, learningRate, weightDecay });
      const read = start + items.length;
      await onStep?.({ epoch, share: read / order.length, loss: loss / read });
    }
    onEpoch?.(epoch, loss / owned.length);
  }
  return network.export();
}

/** A shopper's items as the encoder sees them: a row of unit length before dropout (section 4.4). */
function inputOf(length: number, keep: () => number): Float32Array {
  return Float32Array.from({ length }, () => keep() / Math.sqrt(length));
}
