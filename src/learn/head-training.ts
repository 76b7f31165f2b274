import type { TrainingKernels } from '../compute/training-kernels.ts';
import { createRandom, type Random } from '../lib/random.ts';
import { FEATURE_COUNT } from '../rank/features.ts';
import { standardise } from '../rank/head.ts';
import { HeadNetwork, type HeadBatch } from './head-network.ts';
import type { HeadQuery } from './head-queries.ts';
import { clipGradients, stepAdamW } from './parameters.ts';

export interface HeadTrainingOptions {
  readonly seed: number;
  readonly epochs: number;
  /** A small log is read more often, until it has given as many steps, but no more than `mostEpochs` times: then it would be learnt by heart. */
  readonly leastSteps: number;
  readonly mostEpochs: number;
  /** Of the first step; it falls evenly to 0 at the last, so that no epoch has to be chosen by the few shoppers held out. */
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly batchLists: number;
  /** Share of shoppers that measure the head instead of training it. */
  readonly heldOutShare: number;
  /** Share of the loss for all that the session still brings; the rest is for the very next item. A shelf's is for all. */
  readonly laterShare: number;
  /** Dropout on h_u, so that the head does not remember shoppers. */
  readonly contextDropout: number;
}

export const DEFAULT_HEAD_TRAINING: HeadTrainingOptions = {
  seed: 1,
  epochs: 10,
  leastSteps: 1_000,
  mostEpochs: 40,
  learningRate: 2e-3,
  weightDecay: 1e-2,
  batchLists: 32,
  heldOutShare: 0.2,
  laterShare: 0.3,
  contextDropout: 0.5,
};

export interface TrainedHead {
  readonly tensors: Map<string, { shape: number[]; values: Float32Array }>;
  /** NDCG@10 over the held-out shoppers' sampled lists, per epoch; comparable only among heads on the same lists. */
  readonly history: readonly { readonly epoch: number; readonly loss: number; readonly ndcg: number }[];
  /** The held-out shoppers' lists with the trained head's scores of their rows. */
  readonly heldOut: readonly ScoredQuery[];
}

export interface ScoredQuery {
  readonly query: HeadQuery;
  /** [rows] */
  readonly scores: Float32Array;
}

/** Score of a row that pads a short list: it never wins and has no gradient. */
const PADDING_OFFSET = -1e9;

/** Trains the joint head on lists of candidates; `columns` are the features it may read, `context` the size of h_u or 0. */
export function trainHead(queries: readonly HeadQuery[], columns: readonly number[], context: number, kernels: TrainingKernels, options = DEFAULT_HEAD_TRAINING): TrainedHead {
  const random = createRandom(options.seed);
  const heldOut = (query: HeadQuery): boolean => hash(query.shopper) % 1000 < options.heldOutShare * 1000;
  const training = queries.filter((query) => !heldOut(query));
  const validation = queries.filter((query) => heldOut(query) && query.kind === 'catalogue');
  const listLength = Math.max(...queries.map(({ features }) => features.length / FEATURE_COUNT));
  const { mean, deviation } = featureMoments(training, columns);
  const shape = { input: 2 * columns.length, context, listLength, lists: options.batchLists };
  const network = new HeadNetwork(shape, kernels, random);
  const batchOf = (chosen: readonly HeadQuery[], dropout: Random | null): HeadBatch => {
    const x = new Float32Array(chosen.length * listLength * shape.input);
    const contexts = new Float32Array(chosen.length * context);
    const offsets = new Float32Array(chosen.length * listLength).fill(PADDING_OFFSET);
    const shares = new Float32Array(chosen.length * listLength);
    chosen.forEach((query, list) => {
      x.set(standardise(query.features, columns, mean, deviation), list * listLength * shape.input);
      offsets.set(query.offsets, list * listLength);
      const laterShare = query.kind === 'shelf' ? 1 : options.laterShare;
      shares[list * listLength + query.target] = 1 - laterShare;
      for (const row of query.later) shares[list * listLength + row]! += laterShare / query.later.length;
      const kept = 1 / (1 - options.contextDropout);
      for (let k = 0; k < context; k++) {
        const factor = !dropout ? 1 : dropout.next() < options.contextDropout ? 0 : kept;
        contexts[list * context + k] = query.hidden[k]! * factor;
      }
    });
    return { lists: chosen.length, x, context: contexts, offsets, shares };
  };

  const history: { epoch: number; loss: number; ndcg: number }[] = [];
  let step = 0;
  const stepsPerEpoch = Math.ceil(training.length / options.batchLists);
  const epochs = Math.max(options.epochs, Math.min(options.mostEpochs, Math.ceil(options.leastSteps / stepsPerEpoch)));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = random.shuffle(Int32Array.from(training.keys()));
    let loss = 0;
    for (let start = 0; start < order.length; start += options.batchLists) {
      const chosen = Array.from(order.subarray(start, start + options.batchLists), (query) => training[query]!);
      loss += network.learn(batchOf(chosen, random)) * chosen.length;
      clipGradients(kernels, network.parameters, 1);
      step++;
      stepAdamW(kernels, network.parameters, { step, learningRate: options.learningRate * (1 - step / (epochs * stepsPerEpoch)), weightDecay: options.weightDecay });
    }
    history.push({ epoch, loss: loss / training.length, ndcg: meanNdcg(scoreQueries(network, validation, batchOf, options.batchLists)) });
  }
  const tensors: TrainedHead['tensors'] = new Map([...network.parameters].map(([name, { shape: size, values }]) => [name, { shape: [...size], values: values.slice() }]));
  tensors.set('features.mean', { shape: [columns.length], values: mean });
  tensors.set('features.deviation', { shape: [columns.length], values: deviation });
  return { tensors, history, heldOut: [...scoreQueries(network, validation, batchOf, options.batchLists)] };
}

function* scoreQueries(network: HeadNetwork, queries: readonly HeadQuery[], batchOf: (chosen: readonly HeadQuery[], dropout: null) => HeadBatch, lists: number): Generator<ScoredQuery, undefined> {
  const { listLength } = network.shape;
  for (let start = 0; start < queries.length; start += lists) {
    const chosen = queries.slice(start, start + lists);
    const scores = network.forward(batchOf(chosen, null));
    for (const [list, query] of chosen.entries()) yield { query, scores: scores.slice(list * listLength, list * listLength + query.offsets.length) };
  }
  return undefined;
}

function meanNdcg(queries: Iterable<ScoredQuery>): number {
  let gain = 0;
  let count = 0;
  for (const { query, scores } of queries) {
    let rank = 0;
    for (const score of scores) if (score > scores[query.target]!) rank++;
    gain += rank < 10 ? 1 / Math.log2(rank + 2) : 0;
    count++;
  }
  return count === 0 ? 0 : gain / count;
}

/** Mean and standard deviation of each feature where it is not missing. */
function featureMoments(queries: readonly HeadQuery[], columns: readonly number[]): { mean: Float32Array; deviation: Float32Array } {
  const moments = columns.map((column) => {
    let count = 0;
    let sum = 0;
    let squares = 0;
    for (const { features } of queries) {
      for (let at = column; at < features.length; at += FEATURE_COUNT) {
        const value = features[at]!;
        if (Number.isNaN(value)) continue;
        count++;
        sum += value;
        squares += value * value;
      }
    }
    const mean = count === 0 ? 0 : sum / count;
    const variance = count === 0 ? 1 : squares / count - mean * mean;
    return { mean, deviation: Math.sqrt(Math.max(1e-6, variance)) };
  });
  return { mean: Float32Array.from(moments, ({ mean }) => mean), deviation: Float32Array.from(moments, ({ deviation }) => deviation) };
}

/** Spreads shopper numbers, so that held-out shoppers are not neighbours in the file. */
function hash(shopper: number): number {
  return (Math.imul(shopper + 1, 0x9e3779b1) >>> 8) & 0xffff;
}
