import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import { BEHAVIOUR_KINDS } from '../../src/behaviour/kinds.ts';
import type { EventStream } from '../../src/learn/augmentation.ts';
import { InterestNetwork } from '../../src/learn/interest-network.ts';
import { cutIntoChunks } from '../../src/learn/lanes.ts';
import type { ItemLossOptions } from '../../src/learn/losses.ts';
import { clipGradients, stepAdamW } from '../../src/learn/parameters.ts';
import { columnsKey } from '../../src/lib/hash.ts';
import { createRandom } from '../../src/lib/random.ts';

const SHAPE = { model: { kind: 'lstm' }, items: 900, text: 24, cosine: 0, embedding: 48, hidden: 64, lanes: 32, steps: 8 } as const;
const REGULARISATION = { inputDropout: 0.2, hiddenDropout: 0.3, residualDropout: 0.1, kindWeight: 0.1, daysWeight: 0 };
const STEPS = 4;

/** Losses that steps are compared with. */
export const STEP_LOSSES = {
  softmax: { kind: 'softmax' },
  sampled: { kind: 'sampled-softmax', negatives: 64, sampler: 'popularity' },
  gbce: { kind: 'gbce', negatives: 64, calibration: 0.75 },
} as const satisfies Readonly<Record<string, ItemLossOptions>>;

/** A few steps of an interest LSTM on seeded shoppers, large enough that threads share them: each step's loss, and a key of all weights. */
export function trainSteps(kernels: TrainingKernels, loss: ItemLossOptions): { losses: number[]; weights: string } {
  kernels.release();
  const random = createRandom(11);
  const { items, text, lanes, steps } = SHAPE;
  const textVectors = Float32Array.from({ length: items * text }, () => random.next() - 0.5);
  const itemCounts = Int32Array.from({ length: items }, () => 1 + random.integer(50));
  const network = new InterestNetwork(SHAPE, { textVectors, priceQuantiles: Float32Array.from({ length: 101 }, (_, at) => at / 10), itemCounts }, loss, kernels, random);
  const stream = (): EventStream => {
    const length = 5 + random.integer(20);
    return {
      item: Int32Array.from({ length }, () => random.integer(items)),
      kind: Uint8Array.from({ length }, () => random.integer(BEHAVIOUR_KINDS.length)),
      gap: Float32Array.from({ length }, (_, at) => (at === 0 ? NaN : random.integer(100_000))),
      price: Float32Array.from({ length }, () => random.next() * 10),
      weight: new Float32Array(length).fill(1),
      label: null,
    };
  };
  const chunks = cutIntoChunks(Array.from({ length: lanes * STEPS * 2 }, stream).values(), lanes, steps);
  const losses: number[] = [];
  for (const chunk of chunks) {
    losses.push(network.learn(chunk, random, REGULARISATION).loss);
    clipGradients(kernels, network.parameters, 1);
    stepAdamW(kernels, network.parameters, { step: losses.length, learningRate: 2e-3, weightDecay: 0.01 });
    if (losses.length === STEPS) break;
  }
  return { losses, weights: columnsKey([...network.parameters.values()].map(({ values }) => values)) };
}
