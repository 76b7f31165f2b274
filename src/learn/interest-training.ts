import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Sample } from '../evaluate/bootstrap.ts';
import { createRandom, type Random } from '../lib/random.ts';
import { adaptParameters, countNumbers, type AdapterOptions } from './adapters.ts';
import { augmentPurchases, DEFAULT_AUGMENTATION, plainStream, type AugmentationOptions, type EventStream } from './augmentation.ts';
import { meanLoss, startFrom, type ContinuedLoss, type EarlierInterest } from './continued-interest.ts';
import { PURCHASE, type Histories } from './histories.ts';
import { embeddingLength } from './interest-lanes.ts';
import { InterestNetwork, type Regularisation, type StepExtension } from './interest-network.ts';
import { meanGain, validateInterest } from './interest-validation.ts';
import { cutIntoChunks, type Chunk } from './lanes.ts';
import type { ItemLossOptions } from './losses.ts';
import { daysToNextOrder, medianOrderGap } from './next-order.ts';
import { measureOrders, type OrderErrors } from './next-order-validation.ts';
import { clipGradients, stepAdamW, type ParameterSet } from './parameters.ts';
import type { Protocol } from './protocol.ts';
import { heldFrom } from './split-log.ts';
import type { SequenceOptions } from './sequence-layer.ts';

/** What a parameter's name starts with: `lstm`, `gru` or `transformer` are all of the model that reads, `items` the biases of the items. */
export const PARAMETER_GROUPS = ['projection', 'residual', 'items', 'lstm', 'gru', 'transformer', 'user', 'kind', 'days'] as const;
export type ParameterGroup = (typeof PARAMETER_GROUPS)[number];

export interface InterestTrainingOptions {
  readonly seed: number;
  readonly maxEpochs: number;
  /** Epochs without a better validation NDCG@10 before training stops. */
  readonly patience: number;
  /** Epochs over training and validation data together, after the best epoch is known; 0 ships the best epoch itself. */
  readonly refitEpochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Steps in which the learning rate rises to its peak; 0 starts there. */
  readonly warmUpSteps: number;
  /** Largest norm of all gradients together. */
  readonly clip: number;
  /** Groups of parameters that keep the values they start with. */
  readonly freeze: readonly ParameterGroup[];
  /** What of the rest is trained, and how. */
  readonly adapter: AdapterOptions;
  readonly model: SequenceOptions;
  readonly embedding: number;
  readonly hidden: number;
  /** τ of scores τ · cos(û, v_i) + b_i; 0 for û · v_i + b_i. */
  readonly cosine: number;
  readonly lanes: number;
  readonly steps: number;
  /** Events kept per shopper, the newest; wholesalers have thousands. */
  readonly maxEvents: number;
  readonly loss: ItemLossOptions;
  readonly regularisation: Regularisation;
  readonly augmentation: AugmentationOptions;
}

export const DEFAULT_INTEREST_TRAINING: InterestTrainingOptions = {
  seed: 1,
  maxEpochs: 14,
  patience: 2,
  refitEpochs: 2,
  learningRate: 2.5e-3,
  weightDecay: 1e-2,
  warmUpSteps: 100,
  clip: 1,
  freeze: [],
  adapter: { kind: 'full' },
  model: { kind: 'lstm' },
  embedding: 64,
  hidden: 96,
  cosine: 0,
  lanes: 64,
  steps: 16,
  maxEvents: 2_000,
  loss: { kind: 'softmax' },
  regularisation: { inputDropout: 0.2, hiddenDropout: 0.3, residualDropout: 0.1, kindWeight: 0.1, daysWeight: 0.05 },
  augmentation: DEFAULT_AUGMENTATION,
};

export interface InterestData {
  readonly protocol: Protocol;
  /** Everything before the validation part. */
  readonly training: Histories;
  /** Each history with its validation part, which is the end of it. */
  readonly refit: Histories;
  /** Events before this are not learnt, though validation reads them; in the unit of the log's times. Default: all are learnt. */
  readonly learnFrom?: number;
  /** Shoppers who are learnt from, though all are validated. Default: all. */
  readonly shoppers?: Int32Array;
  /** [items, text]; empty to train on item identities alone. */
  readonly textVectors: Float32Array;
  readonly textDimensions: number;
  readonly priceQuantiles: Float32Array;
  /** [items], NaN where there is none; what an imitated view shows. */
  readonly itemPrices: Float32Array;
  /** The model to go on from; without one, training starts at random. */
  readonly earlier?: EarlierInterest | undefined;
  /** What parameters of these names start as, for pretraining; the others start at random. */
  readonly start?: ReadonlyMap<string, Float32Array>;
}

/** After each epoch: enough to go on from exactly here. */
export interface InterestCheckpoint {
  readonly phase: 'train' | 'refit';
  readonly epoch: number;
  readonly step: number;
  readonly best: { readonly epoch: number; readonly ndcg: number };
  readonly history: readonly InterestEpoch[];
  /** Values and moments by `name`, `name.first`, `name.second`; the best values so far by `name.best`. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

export interface InterestEpoch {
  readonly epoch: number;
  readonly loss: number;
  readonly ndcg: number | null;
  readonly seconds: number;
}

/** What an epoch learns from in place of what is there; validation reads what is there. The random numbers are those of the epoch. */
export interface Distortion {
  /** The items' text vectors, [items, text], once an epoch. */
  readonly texts?: (vectors: Float32Array, random: Random) => Float32Array;
  readonly stream?: (stream: EventStream, random: Random) => EventStream;
  readonly chunk?: (chunk: Chunk) => Chunk;
}

export interface InterestHooks {
  readonly onProgress?: (progress: { phase: 'train' | 'refit'; epoch: number; share: number; loss: number }) => void;
  /** `gains` are NDCG@10 of each question of the validation part; null in a refit. */
  readonly onEpoch?: (epoch: InterestEpoch, gains: readonly Sample[] | null) => void;
  readonly saveCheckpoint?: (checkpoint: InterestCheckpoint) => Promise<void>;
  readonly resumeFrom?: InterestCheckpoint | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What is to be learnt from each chunk beside the next item. */
  readonly extendSteps?: (network: InterestNetwork) => StepExtension;
  readonly distort?: Distortion;
}

export interface TrainedInterest {
  /** The best epoch, trained on the training period alone: for fitting the head on the validation period. */
  readonly tuned: Map<string, { shape: number[]; values: Float32Array }>;
  /** After refitting through the validation period: this ships. */
  readonly shipped: Map<string, { shape: number[]; values: Float32Array }>;
  readonly history: readonly InterestEpoch[];
  /** Numbers that were trained. */
  readonly trained: number;
  /** Where training went on from an earlier model: its losses, and those of `tuned`. */
  readonly continued: ContinuedLoss | null;
  /** How far off the days until the next order are in the validation part; null where there is no such output or no order to ask for. */
  readonly orders: OrderErrors | null;
}

const MIN_LINES_FOR_RESIDUAL = 3; // rarer items keep their text part alone, where there is one
const LEAST_FILLED = 0.7; // of a training chunk
const REFIT_RATE = 0.25; // of the peak learning rate

/** Trains the interest LSTM; the same seed gives the same bytes, with or without an interruption between epochs. */
export async function trainInterest(
  data: InterestData,
  kernels: TrainingKernels,
  options: InterestTrainingOptions,
  hooks: InterestHooks = {},
): Promise<TrainedInterest> {
  const random = createRandom(options.seed);
  const shape = { model: options.model, items: data.training.items, text: data.textDimensions, embedding: options.embedding, hidden: options.hidden, cosine: options.cosine, lanes: options.lanes, steps: options.steps };
  const itemCounts = countItems(data.training);
  const medianOrderDays = learnsDays(data, options) ? (medianOrderGap(data.training) ?? (data.earlier?.tensors.has('days') ? 0 : null)) : null;
  const network = new InterestNetwork(shape, { ...data, itemCounts, medianOrderDays }, options.loss, kernels, random);
  const extension = hooks.extendSteps?.(network);
  const { distort = {} } = hooks;
  const { earlier } = data;
  if (earlier) startFrom(network.parameters, earlier, data.textVectors, kernels);
  for (const [name, values] of data.start ?? []) network.parameters.get(name)!.values.set(values);
  const losses = (): { old: number | null; recent: number } | null => earlier ? { old: earlier.oldDays && meanLoss(network, earlier.oldDays, earlier.oldDays.offsets), recent: meanLoss(network, data.refit, heldFrom(data)) } : null;
  const before = losses();
  const frozen: readonly string[] = options.freeze;
  const adapted = adaptParameters(options.adapter, network.parameters, (name) => !frozen.includes(name.split('.')[0]!), kernels, random);
  const learning: ParameterSet = new Map([...adapted.learning, ...(extension?.parameters ?? [])]);
  const parameters: ParameterSet = new Map([...network.parameters, ...adapted.added, ...(extension?.parameters ?? [])]);
  const resumed = hooks.resumeFrom;
  const best = new Map([...parameters].map(([name, { values }]) => [name, values.slice()]));
  let history: InterestEpoch[] = resumed ? [...resumed.history] : [];
  let bestEpoch = resumed?.best ?? { epoch: 0, ndcg: earlier ? meanGain(validateInterest([network], data)) : -1 }; // what went on may not end worse than it came
  let step = resumed?.step ?? 0;
  if (resumed) restore(parameters, best, resumed);

  const runEpoch = async (phase: 'train' | 'refit', epoch: number, histories: Histories, rate: (share: number) => number): Promise<void> => {
    const started = Date.now();
    const epochRandom = createRandom(options.seed * 1_000 + epoch + (phase === 'refit' ? 500 : 0)); // independent of what ran before
    const lines = histories.item.length;
    let read = 0;
    let loss = 0;
    let weight = 0;
    network.resetState();
    if (distort.texts) network.readTexts(distort.texts(data.textVectors, epochRandom));
    for (const chunk of cutIntoChunks(epochStreams(histories, data, epochRandom, options, distort), options.lanes, options.steps, { leastFilled: LEAST_FILLED })) {
      hooks.signal?.throwIfAborted();
      const result = network.learn(distort.chunk?.(chunk) ?? chunk, epochRandom, options.regularisation, extension);
      adapted.project();
      clipGradients(kernels, learning, options.clip);
      stepAdamW(kernels, learning, { step: ++step, learningRate: rate(read / lines), weightDecay: options.weightDecay });
      adapted.refresh();
      loss += result.loss;
      weight += result.weight;
      read += result.weight;
      hooks.onProgress?.({ phase, epoch, share: Math.min(1, read / lines), loss: loss / Math.max(1, weight) });
      await new Promise((resolve) => setImmediate(resolve)); // lets signals and progress through
    }
    if (distort.texts) network.readTexts(data.textVectors);
    const gains = phase === 'train' ? validateInterest([network], data) : null;
    const ndcg = gains && meanGain(gains);
    const record = { epoch, loss: loss / Math.max(1, weight), ndcg, seconds: (Date.now() - started) / 1000 };
    history = [...history, record];
    hooks.onEpoch?.(record, gains);
    if (ndcg !== null && ndcg > bestEpoch.ndcg) {
      bestEpoch = { epoch, ndcg };
      for (const [name, { values }] of parameters) best.get(name)!.set(values);
    }
    await hooks.saveCheckpoint?.({ phase, epoch, step, best: bestEpoch, history, tensors: snapshot(parameters, best) });
  };

  const inTraining = !resumed || resumed.phase === 'train';
  if (inTraining) {
    for (let epoch = resumed ? resumed.epoch + 1 : 1; epoch <= options.maxEpochs && epoch - bestEpoch.epoch <= options.patience; epoch++) {
      const rate = (share: number): number => options.learningRate * cosineDecay((epoch - 1 + share) / options.maxEpochs) * Math.min(1, (step + 1) / options.warmUpSteps);
      await runEpoch('train', epoch, data.training, rate);
    }
    for (const [name, { values }] of parameters) values.set(best.get(name)!);
  }
  const tuned = new Map([...best].map(([name, values]) => [name, values.slice()]));
  for (let epoch = inTraining ? 1 : resumed.epoch + 1; epoch <= options.refitEpochs; epoch++) {
    const rate = (share: number): number => options.learningRate * REFIT_RATE * (1 - (epoch - 1 + share) / options.refitEpochs);
    await runEpoch('refit', epoch, data.refit, rate);
  }
  const shipped = exportTensors(network, data.refit, earlier);
  for (const [name, { values }] of parameters) values.set(tuned.get(name)!);
  const orders = medianOrderDays === null ? null : measureOrders(network, data);
  const after = losses();
  const continued = before && after && { old: before.old === null || after.old === null ? null : { before: before.old, after: after.old }, recent: { before: before.recent, after: after.recent } };
  return { tuned: exportTensors(network, data.training, earlier), shipped, history, trained: countNumbers(learning), continued, orders };
}

/** Elsewhere times are no days of a shop. */
function learnsDays({ protocol }: InterestData, { regularisation }: InterestTrainingOptions): boolean {
  return protocol === 'temporal' && regularisation.daysWeight > 0;
}

function cosineDecay(share: number): number {
  return 0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, share)));
}

/** One pass over all shoppers in random order; a shop's log with purchases only is augmented. */
function* epochStreams(histories: Histories, data: InterestData, random: Random, options: InterestTrainingOptions, distort: Distortion): Generator<EventStream, undefined> {
  const imitatesBrowsing = data.protocol === 'temporal' && histories.kind.every((kind) => kind === PURCHASE);
  const drawItem = (from: Random): { item: number; price: number } => {
    const item = histories.item[from.integer(histories.item.length)]!; // popular items are drawn more often
    return { item, price: data.itemPrices[item]! };
  };
  const orderDays = learnsDays(data, options) ? daysToNextOrder(histories) : null;
  for (const user of random.shuffle(data.shoppers?.slice() ?? Int32Array.from({ length: histories.users }, (_, i) => i))) {
    const end = histories.offsets[user + 1]!;
    const first = firstSince(histories, Math.max(histories.offsets[user]!, end - options.maxEvents), end, data.learnFrom);
    if (end - first < 2) continue;
    const stream = imitatesBrowsing ? augmentPurchases(histories, first, end, random, drawItem, options.augmentation, orderDays) : plainStream(histories, first, end, { orderDays });
    yield distort.stream?.(stream, random) ?? stream;
  }
  return undefined;
}

/** The first event from `first` to `end` that is not before `since`. */
function firstSince({ time }: Histories, first: number, end: number, since = -Infinity): number {
  let event = first;
  while (event < end && time[event]! < since) event++;
  return event;
}

/** [items] */
function countItems({ items, item }: Histories): Int32Array {
  const counts = new Int32Array(items);
  for (const one of item) counts[one]!++;
  return counts;
}

/** What an earlier model knew of an item stays, however rare the item has become. */
function exportTensors(network: InterestNetwork, histories: Histories, earlier: EarlierInterest | undefined): Map<string, { shape: number[]; values: Float32Array }> {
  const { items, embedding, text, cosine } = network.shape;
  const lines = countItems(histories);
  const oftenSeen = Uint8Array.from(lines, (count, item) => (text === 0 || count >= MIN_LINES_FOR_RESIDUAL || (earlier?.rowOf[item] ?? -1) >= 0 ? 1 : 0));
  const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
  for (const [name, { shape, values }] of network.parameters) {
    if (name !== 'residual') tensors.set(name, { shape: [...shape], values: values.slice() });
  }
  const bias = network.parameters.get('items.bias')!.values.slice().sort();
  tensors.set('items', { shape: [items, embedding], values: network.itemEmbeddings(oftenSeen).slice() });
  if (cosine > 0) tensors.set('cosine', { shape: [2], values: Float32Array.of(cosine, embeddingLength(network.shape)) });
  tensors.set('items.unseenBias', { shape: [1], values: Float32Array.of(bias[Math.floor(items / 4)]!) });
  return tensors;
}

function snapshot(parameters: ParameterSet, best: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  for (const [name, { values, first, second }] of parameters) {
    tensors.set(name, values.slice()).set(`${name}.first`, first.slice()).set(`${name}.second`, second.slice()).set(`${name}.best`, best.get(name)!.slice());
  }
  return tensors;
}

function restore(parameters: ParameterSet, best: ReadonlyMap<string, Float32Array>, { tensors }: InterestCheckpoint): void {
  for (const [name, { values, first, second }] of parameters) {
    values.set(tensors.get(name)!);
    first.set(tensors.get(`${name}.first`)!);
    second.set(tensors.get(`${name}.second`)!);
    best.get(name)!.set(tensors.get(`${name}.best`)!);
  }
}
