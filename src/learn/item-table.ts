import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { ParameterSet } from './parameters.ts';
import { scaleRows, unscaleGradients } from './unit-rows.ts';

export interface ItemTableShape {
  readonly items: number;
  readonly text: number;
  readonly embedding: number;
  /** Items that `readSome` may be asked for at a time. */
  readonly some: number;
  /** What every embedding's length is made; 0 leaves them as they are. */
  readonly length: number;
}

/**
 * Embeddings v_i = P · text_i + r_i of the items that a step is about, one row (a slot) each, and the way of their gradients
 * back to P, r and the biases. A step about all items costs most of its time here, one about a few hundred little.
 */
export class ItemTable {
  /** [slots, embedding]; one row longer than the items, which is nobody's. */
  readonly embeddings: Float32Array;
  /** [slots, embedding]: zeros after `readSome`; `readAll` leaves it to be overwritten. */
  readonly gradient: Float32Array;
  readonly #shape: ItemTableShape;
  readonly #kernels: TrainingKernels;
  readonly #parameters: ParameterSet;
  readonly #text: Float32Array; // [items, text]
  readonly #someText: Float32Array; // [some, text]
  readonly #someBias: Float32Array; // [some + 1]
  readonly #someBiasGradient: Float32Array;
  readonly #slots: Int32Array; // [items]
  readonly #norms: Float32Array; // [slots], before they were given their length
  #inPlay: Int32Array | null = null; // [slots]: the item of each; null while all are
  #kept: Uint8Array | null = null;

  /** The parameters are `projection` [embedding, text], `residual` [items, embedding] and `items.bias` [items]. */
  constructor(shape: ItemTableShape, textVectors: Float32Array, parameters: ParameterSet, kernels: TrainingKernels) {
    const { items, text, embedding, some } = shape;
    this.#shape = shape;
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#text = kernels.allocate(Math.max(1, items * text));
    this.#text.set(textVectors.subarray(0, items * text));
    this.#someText = kernels.allocate(Math.max(1, some * text));
    this.#someBias = kernels.allocate(some + 1);
    this.#someBiasGradient = kernels.allocate(some + 1);
    this.embeddings = kernels.allocate((items + 1) * embedding);
    this.gradient = kernels.allocate((items + 1) * embedding);
    this.#slots = new Int32Array(items);
    this.#norms = new Float32Array(items);
  }

  /** Reads the items' texts by these vectors from now on, [items, text]. */
  readTexts(vectors: Float32Array): void {
    this.#text.set(vectors.subarray(0, this.#shape.items * this.#shape.text));
  }

  /** [slots] */
  get bias(): Float32Array {
    return this.#inPlay ? this.#someBias : this.#parameters.get('items.bias')!.values;
  }

  /** [slots] */
  get biasGradient(): Float32Array {
    return this.#inPlay ? this.#someBiasGradient : this.#parameters.get('items.bias')!.gradient;
  }

  slotOf(item: number): number {
    return this.#inPlay ? this.#slots[item]! : item;
  }

  /** Takes all items; residuals of those that `kept` [items] says 0 of are left out. */
  readAll(kept: Uint8Array | null): void {
    this.#inPlay = null;
    this.#kept = kept;
    this.#embed(this.#text, this.#shape.items);
  }

  /** Takes the distinct items `first`, whose slots are 0, 1, 2 …, and what else the others name; negative numbers are no items. */
  readSome(first: Int32Array, others: readonly Int32Array[], kept: Uint8Array | null): void {
    const { text, embedding, some } = this.#shape;
    const inPlay: number[] = [];
    this.#slots.fill(-1);
    for (const named of [first, ...others]) {
      for (const item of named) {
        if (item < 0 || this.#slots[item]! >= 0) continue;
        this.#slots[item] = inPlay.length;
        inPlay.push(item);
      }
    }
    if (inPlay.length > some) throw new RangeError(`${inPlay.length} items do not fit into a table for ${some}.`);
    this.#inPlay = Int32Array.from(inPlay);
    this.#kept = kept;
    const bias = this.#parameters.get('items.bias')!.values;
    inPlay.forEach((item, slot) => {
      this.#someText.set(this.#text.subarray(item * text, (item + 1) * text), slot * text);
      this.#someBias[slot] = bias[item]!;
    });
    this.#someBiasGradient.fill(0);
    this.gradient.fill(0, 0, (inPlay.length + 1) * embedding);
    this.#embed(this.#someText, inPlay.length);
  }

  /** Writes what `gradient` and `biasGradient` mean for the parameters, whose gradients are zeros before. */
  writeGradients(): void {
    const { items, text, embedding } = this.#shape;
    const inPlay = this.#inPlay;
    const slots = inPlay?.length ?? items;
    const { length } = this.#shape;
    if (length > 0) unscaleGradients(this.gradient, this.embeddings, this.#norms, slots, embedding, length);
    const rows = inPlay ? this.#someText : this.#text;
    if (text > 0) {
      this.#kernels.matmul(this.#parameters.get('projection')!.gradient, this.gradient, rows, { m: embedding, n: text, k: slots }, { transposeA: true });
    }
    const table = this.#parameters.get('residual')!;
    table.rows = inPlay;
    const residual = table.gradient;
    for (let slot = 0; slot < slots; slot++) {
      const item = inPlay ? inPlay[slot]! : slot;
      if (this.#kept?.[item] === 0) continue;
      residual.set(this.gradient.subarray(slot * embedding, (slot + 1) * embedding), item * embedding);
    }
    if (!inPlay) return;
    const bias = this.#parameters.get('items.bias')!.gradient;
    inPlay.forEach((item, slot) => (bias[item] = this.#someBiasGradient[slot]!));
  }

  #embed(text: Float32Array, slots: number): void {
    const { text: columns, embedding, length } = this.#shape;
    const { embeddings } = this;
    if (columns > 0) this.#kernels.matmul(embeddings, text, this.#parameters.get('projection')!.values, { m: slots, n: embedding, k: columns }, { transposeB: true });
    else embeddings.fill(0);
    const residual = this.#parameters.get('residual')!.values;
    for (let slot = 0; slot < slots; slot++) {
      const item = this.#inPlay ? this.#inPlay[slot]! : slot;
      if (this.#kept?.[item] === 0) continue;
      for (let k = 0; k < embedding; k++) embeddings[slot * embedding + k]! += residual[item * embedding + k]!;
    }
    if (length > 0) scaleRows(embeddings, this.#norms, slots, embedding, length);
  }
}
