import type { TrainingKernels } from '../../src/compute/training-kernels.ts';
import { plainStream, type EventStream } from '../../src/learn/augmentation.ts';
import { InterestNetwork } from '../../src/learn/interest-network.ts';
import type { InterestData, InterestTrainingOptions } from '../../src/learn/interest-training.ts';
import { cutIntoChunks, type Chunk } from '../../src/learn/lanes.ts';
import { clipGradients, stepAdamW } from '../../src/learn/parameters.ts';
import { createRandom, type Random } from '../../src/lib/random.ts';
import type { Pretrained } from './pretraining.ts';

const MASKED = 0.2; // of the events
const AHEAD = 2; // events that are read after a masked one before it is asked for
const LEAST_FILLED = 0.7; // of a chunk, as in training

/**
 * Masked items (Sun et al. 2019, "BERT4Rec", section 3.6) for models that read forwards: a masked event is asked for once two more (at the end of a
 * stream one) have been read, so that it is told from both sides. All parameters but those of the next kind start the training.
 */
export function pretrainMaskedItems(data: InterestData, kernels: TrainingKernels, options: InterestTrainingOptions, epochs: number): Pretrained {
  const random = createRandom(options.seed);
  const { model, embedding, hidden, cosine, lanes, steps } = options;
  const { training, textDimensions: text } = data;
  const shape = { model, items: training.items, text, embedding, hidden, cosine, lanes, steps };
  const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(training.items).fill(1) }, options.loss, kernels, random);
  const regularisation = { ...options.regularisation, kindWeight: 0, daysWeight: 0 };
  const losses: number[] = [];
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    network.resetState();
    const sum = { loss: 0, weight: 0 };
    for (const chunk of cutIntoChunks(maskedStreams(data, options, random), lanes, steps, { leastFilled: LEAST_FILLED })) {
      const { loss, weight } = network.learn(askForMasked(chunk), random, regularisation);
      clipGradients(kernels, network.parameters, options.clip);
      const learningRate = options.learningRate * (1 - epoch / epochs) * Math.min(1, ++step / Math.max(1, options.warmUpSteps));
      stepAdamW(kernels, network.parameters, { step, learningRate, weightDecay: options.weightDecay });
      sum.loss += loss;
      sum.weight += weight;
    }
    losses.push(sum.loss / Math.max(1, sum.weight));
  }
  const learnt = [...network.parameters].filter(([name]) => !name.startsWith('kind'));
  return { start: new Map(learnt.map(([name, { values }]) => [name, values.slice()])), losses };
}

function* maskedStreams({ training, shoppers }: InterestData, { maxEvents }: InterestTrainingOptions, random: Random): Generator<EventStream, undefined> {
  for (const user of random.shuffle(shoppers?.slice() ?? Int32Array.from({ length: training.users }, (_, at) => at))) {
    const end = training.offsets[user + 1]!;
    const first = Math.max(training.offsets[user]!, end - maxEvents);
    if (end - first >= 3) yield maskStream(plainStream(training, first, end), random);
  }
  return undefined;
}

/** Masks events; the label of the event before which a masked one is asked for is its item, -1 elsewhere. */
function maskStream(stream: EventStream, random: Random): EventStream {
  const { length } = stream.item;
  const masked = Uint8Array.from(stream.item, () => (random.next() < MASKED ? 1 : 0));
  const label = new Int32Array(length).fill(-1);
  masked.forEach((hidden, event) => {
    const asked = Math.min(event + 1 + AHEAD, length - 1); // what is before it has been read
    if (hidden === 1 && asked > event + 1 && label[asked] === -1) label[asked] = stream.item[event]!;
  });
  return { ...stream, masked, label };
}

/** The chunk with its labels for targets, where it has any. */
function askForMasked(chunk: Chunk): Chunk {
  const isAsked = Uint8Array.from(chunk.targetLabel, (item) => (item >= 0 ? 1 : 0));
  return { ...chunk, targetItem: chunk.targetLabel.map((item) => Math.max(0, item)), targetWeight: Float32Array.from(isAsked), targetExists: isAsked };
}
