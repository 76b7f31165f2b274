import type { BehaviourKind } from '../types.ts';
import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { EVENT_FEATURES, writeEventFeatures } from '../behaviour/sequence.ts';
import type { Device, Tensor } from '../compute/device.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { SequenceKind } from '../packs/sequence-kinds.ts';
import { createSequenceModel, type SequenceModel } from './sequence-model.ts';

export interface InterestDimensions {
  readonly text: number;
  readonly embedding: number;
  readonly hidden: number;
  /** Default `lstm`. */
  readonly model?: SequenceKind;
}

/** One behaviour as the model reads it. */
export interface InterestEvent {
  readonly itemId: string | null;
  /** The item's text vector, or the query's for a search, [text dimensions]; null where there is no text. */
  readonly textVector: Float32Array | null;
  readonly kind: BehaviourKind;
  readonly gapSeconds: number | null;
  /** 0 to 1, null without a price. */
  readonly pricePosition: number | null;
}

/** What the state says about the next behaviour. */
export interface NextInterest {
  /** û, of the length that scores ask for, [embedding] */
  readonly user: Float32Array;
  /** Pᵀ · û, [text]: its product with a text vector is û · P · v, without projecting every unseen item. */
  readonly userText: Float32Array;
  /** p(next kind), [kinds] */
  readonly kinds: Float32Array;
  /** û · v_i + b_i over the pack's own items, [items] */
  readonly catalogueScores: Float32Array;
  /** log Σ exp of `catalogueScores`: score - this = log p(next = i). */
  readonly logNormaliser: number;
  /** Median days until the first purchase of a later visit, if there is one; null in a pack that does not say. */
  readonly daysToPurchase: number | null;
}

/**
 * The interest model: reads one behaviour after another and says what comes next,
 * p(x_t+1 = i | x_1..t) = softmax(û · v_i + b_i), with v_i = P · f_BERT(text of i) + r_i; r_i is 0 for items that
 * training has not seen (input and output share v_i: Press & Wolf 2017; one LSTM layer as in GRU4Rec, Hidasi et al. 2016, a GRU, or
 * a transformer as in SASRec, Kang & McAuley 2018).
 * A pack with `cosine` = [τ, length] has v_i of that length, and û is given the one that makes û · v_i τ times their cosine.
 */
export class InterestModel {
  readonly hidden: number;
  readonly embedding: number;
  readonly itemIds: readonly string[];
  readonly #index: ReadonlyMap<string, number>;
  readonly #device: Device;
  readonly #items: Float32Array; // [items, embedding]
  readonly #unseenBias: number;
  readonly #projection: Float32Array; // [embedding, text]
  readonly #sequence: SequenceModel;
  /** Columns of what is read of an event. */
  readonly #width: number;
  /** x of a single event, reused: memory for an array costs the page more than filling it. */
  readonly #row: Float32Array;
  readonly #catalogue: Tensor;
  readonly #catalogueBias: Float32Array; // [items]
  /** Lengths of v_i and û where scores are cosines. */
  readonly #lengths: { readonly item: number; readonly user: number } | null;
  /** |P · text|, once for each text vector that was met. */
  readonly #norms = new WeakMap<Float32Array, number>();
  readonly #userWeight: Tensor;
  readonly #userBias: Tensor;
  readonly #kindWeight: Tensor;
  readonly #kindBias: Tensor;
  readonly #days: { readonly weight: Float32Array /* [hidden] */; readonly bias: number } | null;

  /** @throws RecommenderError `PACK_INVALID` when a tensor is missing or of another shape. */
  constructor(tensors: SafeTensors, { text, embedding, hidden, model = 'lstm' }: InterestDimensions, itemIds: readonly string[], device: Device) {
    const get = (name: string, ...shape: number[]): Float32Array => floatTensor(tensors, name, shape);
    const upload = (name: string, ...shape: number[]): Tensor => device.upload(get(name, ...shape), shape);
    const items = itemIds.length;
    this.hidden = hidden;
    this.embedding = embedding;
    this.itemIds = itemIds;
    this.#width = embedding + EVENT_FEATURES;
    this.#row = new Float32Array(this.#width);
    this.#device = device;
    this.#index = new Map(itemIds.map((id, index) => [id, index]));
    this.#items = get('items', items, embedding);
    this.#unseenBias = get('items.unseenBias', 1)[0]!;
    this.#projection = get('projection', embedding, text);
    this.#sequence = createSequenceModel(model, tensors, { width: this.#width, hidden }, device);
    this.#catalogue = device.upload(this.#items, [items, embedding]);
    this.#catalogueBias = get('items.bias', items);
    const [scale = 0, length = 0] = tensors.has('cosine') ? get('cosine', 2) : [];
    this.#lengths = length > 0 ? { item: length, user: scale / length } : null;
    this.#userWeight = upload('user', embedding, hidden);
    this.#userBias = upload('user.bias', embedding);
    this.#kindWeight = upload('kind', BEHAVIOUR_KINDS.length, hidden);
    this.#kindBias = upload('kind.bias', BEHAVIOUR_KINDS.length);
    this.#days = tensors.has('days') ? { weight: get('days', 1, hidden), bias: get('days.bias', 1)[0]! } : null;
  }

  /** The arithmetic of now, which names whose states may be continued. */
  get kernel(): string {
    return this.#sequence.kernel;
  }

  /** The item's row in the pack's catalogue, or -1. */
  indexOf(itemId: string): number {
    return this.#index.get(itemId) ?? -1;
  }

  /** v_i: the trained row of a known item, else the projection of its text vector, [embedding]; zeros without either. */
  itemEmbedding(itemId: string | null, textVector: Float32Array | null): Float32Array {
    const index = itemId === null ? -1 : this.indexOf(itemId);
    if (index >= 0) return this.#items.subarray(index * this.embedding, (index + 1) * this.embedding);
    if (!textVector) return new Float32Array(this.embedding);
    const projected = this.#project(textVector);
    return this.#lengths ? ofLength(projected, this.#lengths.item) : projected;
  }

  /** The score û · v_i + b_i of an item that the pack does not know. */
  unseenScore(next: NextInterest, textVector: Float32Array): number {
    let product = 0;
    for (let k = 0; k < textVector.length; k++) product += textVector[k]! * next.userText[k]!;
    if (!this.#lengths) return product + this.#unseenBias;
    const norm = this.#norms.get(textVector) ?? Math.hypot(...this.#project(textVector));
    this.#norms.set(textVector, norm);
    return (norm > 0 ? (product * this.#lengths.item) / norm : 0) + this.#unseenBias;
  }

  /** The state of a shopper of whom nothing is known, after one empty step, as in training; it begins with h, [hidden]. */
  async initialState(): Promise<Float32Array> {
    return this.#sequence.advance(null, 1, () => new Float32Array(this.#width));
  }

  /** Advances the state by events, oldest first; the argument is not changed. */
  async advance(state: Float32Array, events: readonly InterestEvent[]): Promise<Float32Array> {
    if (events.length === 0) return state;
    return this.#sequence.advance(state, events.length, () => this.#inputOf(events));
  }

  /** û, p(next kind) and the scores of the pack's items, in one readback. */
  async next(state: Float32Array): Promise<NextInterest> {
    const [user, kindLogits, products] = await this.#device.run((ops) => {
      const hidden = ops.input(state.subarray(0, this.hidden), [1, this.hidden]);
      const userVector = ops.linear(hidden, this.#userWeight, this.#userBias); // [1, embedding]
      return [
        userVector,
        ops.linear(hidden, this.#kindWeight, this.#kindBias), // [1, kinds]
        ops.linear(userVector, this.#catalogue, null), // [1, items]
      ];
    });
    const factor = this.#lengths ? this.#lengths.user / (Math.hypot(...user!) || 1) : 1;
    const scaled = user!.map((value) => factor * value);
    const catalogueScores = products!.map((product, item) => factor * product + this.#catalogueBias[item]!);
    return {
      user: scaled,
      userText: this.#projectBack(scaled),
      kinds: softmax(kindLogits!),
      catalogueScores,
      logNormaliser: logSumExp(catalogueScores),
      daysToPurchase: this.#daysAfter(state),
    };
  }

  /** Too little work to be worth a dispatch. */
  #daysAfter(state: Float32Array): number | null {
    if (!this.#days) return null;
    const { weight, bias } = this.#days;
    return Math.max(0, Math.expm1(weight.reduce((sum, value, k) => sum + value * state[k]!, bias)));
  }

  dispose(): void {
    this.#sequence.dispose();
    const uploaded = [this.#catalogue, this.#userWeight, this.#userBias, this.#kindWeight, this.#kindBias];
    for (const tensor of uploaded) this.#device.free(tensor);
  }

  /** P · text: [text] -> [embedding]. */
  #project(textVector: Float32Array): Float32Array {
    const text = textVector.length;
    const out = new Float32Array(this.embedding);
    for (let row = 0; row < this.embedding; row++) {
      let sum = 0;
      for (let k = 0; k < text; k++) sum += this.#projection[row * text + k]! * textVector[k]!;
      out[row] = sum;
    }
    return out;
  }

  /** Pᵀ · û: [embedding] -> [text]. */
  #projectBack(user: Float32Array): Float32Array {
    const text = this.#projection.length / this.embedding;
    const out = new Float32Array(text);
    for (let row = 0; row < this.embedding; row++) {
      for (let k = 0; k < text; k++) out[k]! += user[row]! * this.#projection[row * text + k]!;
    }
    return out;
  }

  /** What is read of events, [events, 1, width]; that of a single one is overwritten by the next call. */
  #inputOf(events: readonly InterestEvent[]): Float32Array {
    const x = events.length === 1 ? this.#row : new Float32Array(events.length * this.#width);
    events.forEach((event, step) => {
      x.set(this.itemEmbedding(event.itemId, event.textVector), step * this.#width);
      writeEventFeatures(x, step * this.#width + this.embedding, {
        kind: event.kind,
        gapSeconds: event.gapSeconds,
        pricePosition: event.pricePosition,
        known: event.itemId !== null && this.#index.has(event.itemId),
      });
    });
    return x;
  }
}

function ofLength(vector: Float32Array, length: number): Float32Array {
  const norm = Math.hypot(...vector);
  return norm > 0 ? vector.map((value) => (value * length) / norm) : vector;
}

export function logSumExp(values: Float32Array): number {
  let max = -Infinity;
  for (const value of values) if (value > max) max = value;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - max);
  return max + Math.log(sum);
}

export function softmax(logits: Float32Array): Float32Array {
  const normaliser = logSumExp(logits);
  return logits.map((value) => Math.exp(value - normaliser));
}
