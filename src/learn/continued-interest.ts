import { RecommenderError } from '../errors.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { plainStream, type EventStream } from './augmentation.ts';
import type { Histories } from './histories.ts';
import type { InterestNetwork } from './interest-network.ts';
import { cutIntoChunks } from './lanes.ts';
import type { ParameterSet } from './parameters.ts';
import type { FloatTensors } from './write-recommender.ts';

/** An interest model that a training goes on from. */
export interface EarlierInterest {
  /** As in its pack, widened to float32. */
  readonly tensors: FloatTensors;
  /** The pack's row of each item, -1 for items that it does not have, [items]. */
  readonly rowOf: Int32Array;
  /** What was before the pack's end: the loss on it shows what is forgotten. Null where the log has none of it. */
  readonly oldDays: Histories | null;
}

/** Mean loss of p(next item) over all items, before and after a training went on. */
export interface ContinuedLoss {
  /** On days before the pack's end; null where the log has none. */
  readonly old: { readonly before: number; readonly after: number } | null;
  /** On the validation part, which is behind what was learnt. */
  readonly recent: { readonly before: number; readonly after: number };
}

/**
 * Sets a network's parameters to an earlier model's. Residuals are what the pack's item embeddings have beyond P · text; an item that the pack does not have
 * starts from its text part, with the bias that unseen items have in service.
 * @throws RecommenderError `INVALID_OPTIONS` when the model has other sizes or layers.
 */
export function startFrom(parameters: ParameterSet, { tensors, rowOf }: EarlierInterest, textVectors: Float32Array, kernels: TrainingKernels): void {
  for (const [name, { shape, values }] of parameters) {
    if (name === 'residual' || name === 'items.bias') continue;
    const tensor = tensors.get(name);
    const length = shape.reduce((product, size) => product * size, 1);
    if (length === 0) continue; // without text there is no projection
    if (name.startsWith('days') && !tensors.has(name)) continue; // a pack without that output
    if (tensor?.values.length !== length) throw new RecommenderError('INVALID_OPTIONS', `The pack to go on from has no ${name} of shape [${shape.join(', ')}]; train with its sizes and model, or anew.`);
    values.set(tensor.values);
  }
  const residual = parameters.get('residual')!;
  const bias = parameters.get('items.bias')!.values;
  const [items = 0, embedding = 0] = residual.shape;
  const text = textVectors.length / items;
  const [rows, biases, unseenBias] = ['items', 'items.bias', 'items.unseenBias'].map((name) => tensors.get(name)?.values ?? new Float32Array(1)) as [Float32Array, Float32Array, Float32Array];
  residual.values.fill(0);
  if (text > 0) {
    const vectors = kernels.allocate(textVectors.length);
    vectors.set(textVectors);
    kernels.matmul(residual.values, vectors, parameters.get('projection')!.values, { m: items, n: embedding, k: text }, { transposeB: true });
  }
  rowOf.forEach((row, item) => {
    const own = residual.values.subarray(item * embedding, (item + 1) * embedding);
    for (let k = 0; k < embedding; k++) own[k] = row < 0 ? 0 : rows[row * embedding + k]! - own[k]!;
    bias[item] = row < 0 ? unseenBias[0]! : biases[row]!;
  });
}

const SHOPPERS = 300;
const EVENTS = 100; // of a shopper, the newest

/** What a network says of one event, before it. */
export interface JudgedEvent {
  readonly user: number;
  /** Cross-entropy over all items. */
  readonly loss: number;
  /** NDCG@10 of the item among all. */
  readonly ndcg: number;
}

/** Mean cross-entropy of `judgeEvents()`; 0 of none. */
export function meanLoss(network: InterestNetwork, histories: Histories, countedFrom: Int32Array): number {
  const judged = judgeEvents(network, histories, countedFrom);
  return judged.length === 0 ? 0 : judged.reduce((sum, { loss }) => sum + loss, 0) / judged.length;
}

/** The next item of at most 300 shoppers' newest 100 events; `countedFrom` [users] is the first event that counts. */
export function judgeEvents(network: InterestNetwork, histories: Histories, countedFrom: Int32Array): JudgedEvent[] {
  const { item, offsets, users } = histories;
  const asked = Array.from({ length: users }, (_, user) => user).filter((user) => Math.max(countedFrom[user]!, offsets[user]! + 1) < offsets[user + 1]!);
  const step = Math.max(1, asked.length / SHOPPERS);
  const userOf = new Map<number, number>();
  function* streams(): Generator<EventStream, undefined> {
    for (let at = 0; at < asked.length; at += step) {
      const user = asked[Math.floor(at)]!;
      const end = offsets[user + 1]!;
      const first = Math.max(offsets[user]!, end - EVENTS);
      for (let event = first; event < end; event++) userOf.set(event, user);
      yield plainStream(histories, first, end, { labelOf: (event) => (event > first && event >= countedFrom[user]! ? event : -1) });
    }
    return undefined;
  }
  const judged: JudgedEvent[] = [];
  network.resetState();
  for (const chunk of cutIntoChunks(streams(), network.shape.lanes, network.shape.steps)) {
    network.predict(chunk, (row) => chunk.targetLabel[row]! >= 0, (row, scores) => {
      const event = chunk.targetLabel[row]!;
      const target = scores[item[event]!]!;
      let largest = -Infinity;
      let rank = 0;
      for (const score of scores) {
        largest = Math.max(largest, score);
        if (score > target) rank++;
      }
      let total = 0;
      for (const score of scores) total += Math.exp(score - largest);
      judged.push({ user: userOf.get(event)!, loss: Math.log(total) + largest - target, ndcg: rank < 10 ? 1 / Math.log2(rank + 2) : 0 });
    });
  }
  network.resetState();
  return judged;
}
