import type { BehaviourKind } from '../types.ts';
import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { EVENT_FEATURES, writeEventFeatures } from '../behaviour/sequence.ts';
import type { Device, LstmWeights, Primitives, Tensor } from '../compute/device.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';

export interface InterestDimensions {
  readonly text: number;
  readonly embedding: number;
  readonly hidden: number;
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
  /** û, [embedding] */
  readonly user: Float32Array;
  /** Pᵀ · û, [text]: its product with a text vector is û · P · v, without projecting every unseen item. */
  readonly userText: Float32Array;
  /** p(next kind), [kinds] */
  readonly kinds: Float32Array;
  /** û · v_i + b_i over the pack's own items, [items] */
  readonly catalogueScores: Float32Array;
  /** log Σ exp of `catalogueScores`: score - this = log p(next = i). */
  readonly logNormaliser: number;
}

/**
 * The interest LSTM: reads one behaviour after another and says what comes next,
 * p(x_t+1 = i | x_1..t) = softmax(û · v_i + b_i), with v_i = P · f_BERT(text of i) + r_i; r_i is 0 for items that
 * training has not seen (input and output share v_i: Press & Wolf 2017; one LSTM layer as in GRU4Rec, Hidasi et al. 2016).
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
  readonly #lstm: LstmWeights;
  /** Columns of the LSTM's input. */
  readonly #width: number;
  /** x of a single event, reused: memory for an array costs the page more than filling it. */
  readonly #row: Float32Array;
  readonly #catalogue: Tensor;
  readonly #catalogueBias: Tensor;
  readonly #userWeight: Tensor;
  readonly #userBias: Tensor;
  readonly #kindWeight: Tensor;
  readonly #kindBias: Tensor;

  /** @throws RecommenderError `PACK_INVALID` when a tensor is missing or of another shape. */
  constructor(tensors: SafeTensors, { text, embedding, hidden }: InterestDimensions, itemIds: readonly string[], device: Device) {
    const get = (name: string, ...shape: number[]): Float32Array => floatTensor(tensors, name, shape);
    const upload = (name: string, ...shape: number[]): Tensor => device.upload(get(name, ...shape), shape);
    const items = itemIds.length;
    const gates = 4 * hidden;
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
    this.#lstm = {
      inputWeights: upload('lstm.input', gates, this.#width),
      hiddenWeights: upload('lstm.hidden', gates, hidden),
      bias: upload('lstm.bias', gates),
    };
    this.#catalogue = device.upload(this.#items, [items, embedding]);
    this.#catalogueBias = upload('items.bias', items);
    this.#userWeight = upload('user', embedding, hidden);
    this.#userBias = upload('user.bias', embedding);
    this.#kindWeight = upload('kind', BEHAVIOUR_KINDS.length, hidden);
    this.#kindBias = upload('kind.bias', BEHAVIOUR_KINDS.length);
  }

  /** The arithmetic of now, which names whose states may be continued. */
  get kernel(): string {
    return `${this.#device.name}/${this.#device.kernel}`;
  }

  /** The item's row in the pack's catalogue, or -1. */
  indexOf(itemId: string): number {
    return this.#index.get(itemId) ?? -1;
  }

  /** v_i: the trained row of a known item, else the projection of its text vector, [embedding]; zeros without either. */
  itemEmbedding(itemId: string | null, textVector: Float32Array | null): Float32Array {
    const index = itemId === null ? -1 : this.indexOf(itemId);
    if (index >= 0) return this.#items.subarray(index * this.embedding, (index + 1) * this.embedding);
    const out = new Float32Array(this.embedding);
    if (!textVector) return out;
    const text = textVector.length;
    for (let row = 0; row < this.embedding; row++) {
      let sum = 0;
      for (let k = 0; k < text; k++) sum += this.#projection[row * text + k]! * textVector[k]!;
      out[row] = sum;
    }
    return out;
  }

  /** The score û · v_i + b_i of an item that the pack does not know. */
  unseenScore(next: NextInterest, textVector: Float32Array): number {
    let score = this.#unseenBias;
    for (let k = 0; k < textVector.length; k++) score += textVector[k]! * next.userText[k]!;
    return score;
  }

  /** The state of a shopper of whom nothing is known: after one empty step, as in training, [2 · hidden]. */
  async initialState(): Promise<Float32Array> {
    const nothing = new Float32Array(this.#width);
    const [after] = await this.#device.run((ops) => [this.#steps(ops, nothing, 1, new Float32Array(2 * this.hidden))]);
    return after!;
  }

  /** Advances the state by events, oldest first: [2 · hidden] -> [2 · hidden]; the argument is not changed. */
  async advance(state: Float32Array, events: readonly InterestEvent[]): Promise<Float32Array> {
    if (events.length === 0) return state;
    // The rows are written inside the program, which another device may run again while a later call waits.
    const [after] = await this.#device.run((ops) => [this.#steps(ops, this.#inputOf(events), events.length, state)]);
    return after!;
  }

  /** û, p(next kind) and the scores of the pack's items, in one readback. */
  async next(state: Float32Array): Promise<NextInterest> {
    const [user, kindLogits, catalogueScores] = await this.#device.run((ops) => {
      const hidden = ops.input(state.subarray(0, this.hidden), [1, this.hidden]);
      const userVector = ops.linear(hidden, this.#userWeight, this.#userBias); // [1, embedding]
      return [
        userVector,
        ops.linear(hidden, this.#kindWeight, this.#kindBias), // [1, kinds]
        ops.linear(userVector, this.#catalogue, this.#catalogueBias), // [1, items]
      ];
    });
    return {
      user: user!,
      userText: this.#projectBack(user!),
      kinds: softmax(kindLogits!),
      catalogueScores: catalogueScores!,
      logNormaliser: logSumExp(catalogueScores!),
    };
  }

  dispose(): void {
    const uploaded = [...Object.values(this.#lstm) as Tensor[], this.#catalogue, this.#catalogueBias, this.#userWeight, this.#userBias, this.#kindWeight, this.#kindBias];
    for (const tensor of uploaded) this.#device.free(tensor);
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

  /** What the LSTM reads of events, [events, 1, width]; that of a single one is overwritten by the next call. */
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

  #steps(ops: Primitives, x: Float32Array, steps: number, state: Float32Array): Tensor {
    return ops.lstm(ops.input(x, [steps, 1, this.#width]), this.#lstm, ops.input(state, [2, 1, this.hidden]));
  }
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
