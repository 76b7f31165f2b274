import type { TrainingKernels } from '../compute/training-kernels.ts';
import { createRandom, type Random } from '../lib/random.ts';
import { plainStream, type EventStream } from './augmentation.ts';
import type { EpochHooks } from './epoch-hooks.ts';
import { hideEvents } from './hidden-events.ts';
import { InterestNetwork } from './interest-network.ts';
import type { InterestData, InterestTrainingOptions } from './interest-training.ts';
import { cutIntoChunks, type Chunk } from './lanes.ts';
import { clipGradients, stepAdamW } from './parameters.ts';
import type { Pretrained } from './pretraining-kinds.ts';

const MASKED = 0.2; // of the events
const AHEAD = 2; // events that are read after a masked one before it is asked for
const LEAST_FILLED = 0.7; // of a chunk, as in training

/** By events of the log. */
interface Masks {
  /** 1 where an event is not read. */
  readonly masked: Uint8Array;
  /** The masked item that is asked for before an event; -1 for none. */
  readonly asked: Int32Array;
}

/**
 * Masked items (Sun et al. 2019, "BERT4Rec", section 3.6) for models that read forwards: a masked event is asked for once two more (at the end of a
 * stream one) have been read, so that it is told from both sides. All parameters but those of the next kind start the training.
 */
export async function pretrainMaskedItems(data: InterestData, kernels: TrainingKernels, options: InterestTrainingOptions, epochs: number, { onStep, onEpoch }: EpochHooks): Promise<Pretrained> {
  const random = createRandom(options.seed);
  const { model, embedding, hidden, cosine, lanes, steps } = options;
  const { training, textDimensions: text } = data;
  const shape = { model, items: training.items, text, embedding, hidden, cosine, lanes, steps };
  const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(training.items).fill(1) }, options.loss, kernels, random);
  const regularisation = { ...options.regularisation, kindWeight: 0, daysWeight: 0 };
  const masks: Masks = { masked: new Uint8Array(training.item.length), asked: new Int32Array(training.item.length) };
  const losses: number[] = [];
  let step = 0;
  const asked = MASKED * training.item.length; // about, in an epoch
  for (let epoch = 1; epoch <= epochs; epoch++) {
    network.resetState();
    const sum = { loss: 0, weight: 0 };
    for (const chunk of cutIntoChunks(maskedStreams(data, options, masks, random), lanes, steps, { leastFilled: LEAST_FILLED })) {
      const { loss, weight } = network.learn(askForMasked(chunk, masks), random, regularisation);
      clipGradients(kernels, network.parameters, options.clip);
      const learningRate = options.learningRate * (1 - (epoch - 1) / epochs) * Math.min(1, ++step / Math.max(1, options.warmUpSteps));
      stepAdamW(kernels, network.parameters, { step, learningRate, weightDecay: options.weightDecay });
      sum.loss += loss;
      sum.weight += weight;
      await onStep?.({ epoch, share: Math.min(1, sum.weight / asked), loss: sum.loss / Math.max(1, sum.weight) });
    }
    losses.push(sum.loss / Math.max(1, sum.weight));
    onEpoch?.(epoch, losses.at(-1)!);
  }
  const learnt = [...network.parameters].filter(([name]) => !name.startsWith('kind'));
  return { start: new Map(learnt.map(([name, { values }]) => [name, values.slice()])), losses };
}

function* maskedStreams({ training, shoppers }: InterestData, { maxEvents }: InterestTrainingOptions, masks: Masks, random: Random): Generator<EventStream, undefined> {
  for (const user of random.shuffle(shoppers?.slice() ?? Int32Array.from({ length: training.users }, (_, at) => at))) {
    const end = training.offsets[user + 1]!;
    const first = Math.max(training.offsets[user]!, end - maxEvents);
    if (end - first < 3) continue;
    maskEvents(training.item, first, end, masks, random);
    yield plainStream(training, first, end, { labelOf: (event) => event });
  }
  return undefined;
}

/** Masks events from `first` to `end`. */
function maskEvents(item: Int32Array, first: number, end: number, { masked, asked }: Masks, random: Random): void {
  asked.fill(-1, first, end);
  for (let event = first; event < end; event++) {
    masked[event] = random.next() < MASKED ? 1 : 0;
    const before = Math.min(event + 1 + AHEAD, end - 1); // what is before it has been read
    if (masked[event] === 1 && before > event + 1 && asked[before] === -1) asked[before] = item[event]!;
  }
}

/** The chunk without what is masked, and with what is asked for as its targets. */
function askForMasked(chunk: Chunk, { masked, asked }: Masks): Chunk {
  const item = chunk.targetLabel.map((event) => asked[event] ?? -1);
  const isAsked = Uint8Array.from(item, (one) => (one >= 0 ? 1 : 0));
  const read = hideEvents(chunk, (row) => masked[chunk.targetLabel[row]! - 1] === 1);
  return { ...read, targetItem: item.map((one) => Math.max(0, one)), targetWeight: Float32Array.from(isAsked), targetExists: isAsked };
}
