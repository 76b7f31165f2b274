import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { EVENT_FEATURES, pricePosition, writeEventFeatures } from '../behaviour/sequence.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { ItemTable } from './item-table.ts';
import type { Chunk } from './lanes.ts';
import { createItemLoss, type ItemLoss, type ItemLossOptions } from './losses.ts';
import { clearGradients, createParameters, type ParameterSet } from './parameters.ts';
import { addBias, addColumns } from './row-sums.ts';
import { createSequenceLayer, sequencePlan, type SequenceLayer, type SequenceOptions } from './sequence-layer.ts';
import { scaleRows, unscaleGradients } from './unit-rows.ts';

export interface InterestShape {
  readonly model: SequenceOptions;
  readonly items: number;
  /** Length of a text vector; 0 trains on item identities alone. */
  readonly text: number;
  readonly embedding: number;
  readonly hidden: number;
  readonly lanes: number;
  readonly steps: number;
  /** τ of scores τ · cos(û, v_i) + b_i; 0 for û · v_i + b_i. */
  readonly cosine: number;
}

/** Length of every v_i where scores are cosines: as the LSTM reads it, about .3 a component. */
export const embeddingLength = ({ cosine, embedding }: Pick<InterestShape, 'cosine' | 'embedding'>): number => (cosine > 0 ? 0.3 * Math.sqrt(embedding) : 0);

export interface Regularisation {
  /** Dropout on the item embeddings that are read. */
  readonly inputDropout: number;
  /** Dropout on the hidden state that predicts. */
  readonly hiddenDropout: number;
  /** Share of items whose residual is hidden in a step, so that the text part learns to stand alone. */
  readonly residualDropout: number;
  /** Weight of the loss of p(next kind) beside that of p(next item). */
  readonly kindWeight: number;
  /** Weight of the loss of the days until the next order; 0 leaves that output out. */
  readonly daysWeight: number;
}

/** What the network is told of the shop. */
export interface InterestCatalogue {
  /** [items, text]; may be empty where `text` is 0. */
  readonly textVectors: Float32Array;
  readonly priceQuantiles: Float32Array;
  /** How often the log has each item, [items], for losses that sample by popularity. */
  readonly itemCounts: ArrayLike<number>;
  /** Where the days until the next order start: the median gap. Default: null, there is no such output. */
  readonly medianOrderDays?: number | null;
}

const KINDS = BEHAVIOUR_KINDS.length;
const PREDICTED_ROWS = 64; // scored at a time: all rows over all items would be the largest array of a training that samples

/**
 * The interest LSTM with its gradients, on training kernels: the trained twin of `forecast/interest.ts`.
 * Item embeddings are v_i = P · text_i + r_i, shared by input and output; the loss is one of `losses.ts`. With `cosine`, v_i and û
 * have one length each and scores are τ times their cosine (NISER, Gupta et al. 2019, section 3.2): how often an item is seen then shows in
 * its bias alone, not in its length as well.
 */
export class InterestNetwork {
  readonly shape: InterestShape;
  readonly parameters: ParameterSet;
  readonly #kernels: TrainingKernels;
  readonly #priceQuantiles: Float32Array;
  readonly #items: ItemTable;
  readonly #loss: ItemLoss;
  readonly #x: Float32Array; // [rows, input]
  readonly #xGradient: Float32Array;
  readonly #sequence: SequenceLayer;
  readonly #hiddenGradient: Float32Array; // [rows, hidden]
  readonly #active: Float32Array; // [rows, hidden]: dropped-out hidden states of rows that predict
  readonly #activeGradient: Float32Array;
  readonly #user: Float32Array; // [rows, embedding]
  readonly #userGradient: Float32Array;
  readonly #userNorms: Float32Array; // [rows]
  readonly #scores: Float32Array; // [PREDICTED_ROWS, items]
  readonly #kindLogits: Float32Array; // [rows, kinds]
  readonly #weights: Float32Array; // [rows]
  readonly #keep: Float32Array; // [rows]

  constructor(shape: InterestShape, { textVectors, priceQuantiles, itemCounts, medianOrderDays = null }: InterestCatalogue, loss: ItemLossOptions, kernels: TrainingKernels, random: Random) {
    const { model, items, text, embedding, hidden, lanes, steps } = shape;
    const rows = lanes * steps;
    const input = embedding + EVENT_FEATURES;
    this.shape = shape;
    this.#kernels = kernels;
    this.#priceQuantiles = priceQuantiles;
    this.parameters = createParameters(kernels, random, {
      projection: { shape: [embedding, text], spread: 0.3 },
      residual: { shape: [items, embedding], spread: text > 0 ? 0.03 : 0.05 },
      'items.bias': { shape: [items], spread: 0 },
      ...sequencePlan(model, { lanes, steps, input, hidden }),
      user: { shape: [embedding, hidden], spread: 1 / Math.sqrt(hidden) },
      'user.bias': { shape: [embedding], spread: 0 },
      kind: { shape: [KINDS, hidden], spread: 1 / Math.sqrt(hidden) },
      'kind.bias': { shape: [KINDS], spread: 0 },
      ...(medianOrderDays !== null && { days: { shape: [1, hidden], spread: 0 }, 'days.bias': { shape: [1], spread: 0 } }),
    });
    if (medianOrderDays !== null) this.#p('days.bias')[0] = Math.log1p(medianOrderDays);
    this.#sequence = createSequenceLayer(model, { lanes, steps, input, hidden }, this.parameters, kernels);
    this.#loss = createItemLoss(loss, { rows, items, embedding }, itemCounts, kernels);
    const { drawn } = this.#loss;
    const some = drawn === null ? 0 : Math.min(items, drawn + 2 * rows); // drawn, read and to be predicted
    this.#items = new ItemTable({ items, text, embedding, some, length: embeddingLength(shape) }, textVectors, this.parameters, kernels);
    this.#x = kernels.allocate(rows * input);
    this.#xGradient = kernels.allocate(rows * input);
    this.#hiddenGradient = kernels.allocate(rows * hidden);
    this.#active = kernels.allocate(rows * hidden);
    this.#activeGradient = kernels.allocate(rows * hidden);
    this.#user = kernels.allocate(rows * embedding);
    this.#userGradient = kernels.allocate(rows * embedding);
    this.#userNorms = new Float32Array(rows);
    this.#scores = kernels.allocate(PREDICTED_ROWS * items);
    this.#kindLogits = kernels.allocate(rows * KINDS);
    this.#weights = kernels.allocate(rows);
    this.#keep = kernels.allocate(rows);
  }

  /** Forgets every lane's state; the next chunk starts new shoppers. */
  resetState(): void {
    this.#sequence.resetState();
  }

  /** Reads the items' texts by these vectors from now on, [items, text]. */
  readTexts(vectors: Float32Array): void {
    this.#items.readTexts(vectors);
  }

  /** All item embeddings as they stand, [items, embedding]: a view, valid until the next call. */
  itemEmbeddings(residualKept: Uint8Array | null = null): Float32Array {
    const { items, embedding } = this.shape;
    this.#items.readAll(residualKept);
    return this.#items.embeddings.subarray(0, items * embedding);
  }

  /**
   * Scores of all items after each step of a chunk, without dropout: calls back with row and [items] scores
   * (a view, valid during the call) for the rows that `wanted` names. The lanes' state goes on.
   */
  predict(chunk: Chunk, wanted: (row: number) => boolean, visit: (row: number, scores: Float32Array) => void): void {
    const { items, embedding } = this.shape;
    const embeddings = this.itemEmbeddings();
    const rows = this.#readRows(chunk, wanted);
    this.#userVectors(rows.length);
    for (let from = 0; from < rows.length; from += PREDICTED_ROWS) {
      const block = rows.slice(from, from + PREDICTED_ROWS);
      this.#kernels.matmul(this.#scores, this.#user.subarray(from * embedding), embeddings, { m: block.length, n: items, k: embedding }, { transposeB: true });
      addBias(this.#scores, this.#p('items.bias'), block.length);
      block.forEach((row, at) => visit(row, this.#scores.subarray(at * items, (at + 1) * items)));
    }
  }

  /** As `predict`, but calls back with the days until the next order; never where there is no such output. */
  predictDays(chunk: Chunk, wanted: (row: number) => boolean, visit: (row: number, days: number) => void): void {
    this.itemEmbeddings();
    const rows = this.#readRows(chunk, wanted);
    if (this.parameters.has('days')) rows.forEach((row, at) => visit(row, Math.max(0, Math.expm1(this.#logDays(at)))));
  }

  /**
   * One chunk forward and back; gradients are written, not applied. Returns Σ weight · loss of the next item and Σ weight, and the mean loss
   * of the days until the next order times its weight.
   */
  learn(chunk: Chunk, random: Random, regularisation: Regularisation): { loss: number; weight: number; daysLoss: number } {
    const { items, embedding, hidden, text } = this.shape;
    const kernels = this.#kernels;
    const table = this.#items;
    const input = embedding + EVENT_FEATURES;
    clearGradients(this.parameters);

    const residualKept = text > 0 ? Uint8Array.from({ length: items }, () => (random.next() < regularisation.residualDropout ? 0 : 1)) : null;
    const drawn = this.#loss.draw(random);
    if (drawn) table.readSome(drawn, [chunk.item, chunk.targetItem], residualKept);
    else table.readAll(residualKept);
    const inputMask = this.#readEvents(chunk, random, regularisation.inputDropout);
    this.#keep.set(chunk.keep);
    const hiddenStates = this.#sequence.forward(this.#x, this.#keep, random);

    const rows = Array.from(chunk.targetExists.keys()).filter((row) => chunk.targetExists[row] === 1);
    const dropped = this.#dropHidden(hiddenStates, rows, random, regularisation.hiddenDropout);
    this.#userVectors(rows.length);
    const weights = Float32Array.from(rows, (row) => chunk.targetWeight[row]!);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const normalised = this.#normalise(weights, Math.max(1, total));
    const targets = Int32Array.from(rows, (row) => table.slotOf(chunk.targetItem[row]!));
    const loss = this.#loss.learn(
      { rows: rows.length, user: this.#user, items: table.embeddings, bias: table.bias, targets, weights: normalised },
      { user: this.#userGradient, items: table.gradient, bias: table.biasGradient },
    );

    if (this.#userLength > 0) unscaleGradients(this.#userGradient, this.#user, this.#userNorms, rows.length, embedding, this.#userLength);
    kernels.matmul(this.#activeGradient, this.#userGradient, this.#p('user'), { m: rows.length, n: hidden, k: embedding });
    kernels.matmul(this.#g('user'), this.#userGradient, this.#active, { m: embedding, n: hidden, k: rows.length }, { transposeA: true });
    addColumns(this.#g('user.bias'), this.#userGradient, rows.length);
    this.#learnKinds(rows, chunk, regularisation.kindWeight);
    const daysLoss = this.#learnDays(rows, chunk, regularisation.daysWeight);

    this.#hiddenGradient.fill(0);
    rows.forEach((row, at) => {
      for (let k = 0; k < hidden; k++) this.#hiddenGradient[row * hidden + k] = this.#activeGradient[at * hidden + k]! * dropped[at * hidden + k]!;
    });
    this.#sequence.backward(this.#xGradient, this.#hiddenGradient, this.#x, this.#keep);

    for (let row = 0; row < chunk.item.length; row++) {
      if (chunk.item[row]! < 0) continue;
      const slot = table.slotOf(chunk.item[row]!);
      for (let k = 0; k < embedding; k++) table.gradient[slot * embedding + k]! += this.#xGradient[row * input + k]! * inputMask[row * embedding + k]!;
    }
    table.writeGradients();
    return { loss: loss * Math.max(1, total), weight: total, daysLoss };
  }

  #p(name: string): Float32Array {
    return this.parameters.get(name)!.values;
  }

  #g(name: string): Float32Array {
    return this.parameters.get(name)!.gradient;
  }

  /** Writes x [rows, input] from a chunk's events; returns the dropout factors of the embeddings, [rows, embedding]. */
  #readEvents(chunk: Chunk, random: Random | null, dropout: number): Float32Array {
    const { embedding } = this.shape;
    const input = embedding + EVENT_FEATURES;
    const mask = new Float32Array(chunk.item.length * embedding).fill(1);
    for (let row = 0; row < chunk.item.length; row++) {
      const item = chunk.item[row]!;
      if (item < 0) {
        this.#x.fill(0, row * input, (row + 1) * input);
        continue;
      }
      const slot = this.#items.slotOf(item);
      for (let k = 0; k < embedding; k++) {
        const factor = random && random.next() < dropout ? 0 : 1 / (random ? 1 - dropout : 1);
        mask[row * embedding + k] = factor;
        this.#x[row * input + k] = this.#items.embeddings[slot * embedding + k]! * factor;
      }
      const gap = chunk.gap[row]!;
      const price = chunk.price[row]!;
      writeEventFeatures(this.#x, row * input + embedding, {
        kind: BEHAVIOUR_KINDS[chunk.kind[row]!]!,
        gapSeconds: Number.isNaN(gap) ? null : gap,
        pricePosition: pricePosition(Number.isNaN(price) ? null : price, this.#priceQuantiles),
        known: true,
      });
    }
    return mask;
  }

  /** Reads a chunk without dropout; hidden states of the rows that `wanted` names are then in #active, in order. */
  #readRows(chunk: Chunk, wanted: (row: number) => boolean): number[] {
    const { hidden } = this.shape;
    this.#readEvents(chunk, null, 0);
    this.#keep.set(chunk.keep);
    const hiddenStates = this.#sequence.forward(this.#x, this.#keep, null);
    const rows = Array.from(chunk.keep.keys()).filter(wanted);
    rows.forEach((row, at) => this.#active.set(hiddenStates.subarray(row * hidden, (row + 1) * hidden), at * hidden));
    return rows;
  }

  #dropHidden(hiddenStates: Float32Array, rows: readonly number[], random: Random, dropout: number): Float32Array {
    const { hidden } = this.shape;
    const factors = new Float32Array(rows.length * hidden);
    rows.forEach((row, at) => {
      for (let k = 0; k < hidden; k++) {
        const factor = random.next() < dropout ? 0 : 1 / (1 - dropout);
        factors[at * hidden + k] = factor;
        this.#active[at * hidden + k] = hiddenStates[row * hidden + k]! * factor;
      }
    });
    return factors;
  }

  #userVectors(rows: number): void {
    const { embedding, hidden } = this.shape;
    this.#kernels.matmul(this.#user, this.#active, this.#p('user'), { m: rows, n: embedding, k: hidden }, { transposeB: true });
    addBias(this.#user, this.#p('user.bias'), rows);
    if (this.#userLength > 0) scaleRows(this.#user, this.#userNorms, rows, embedding, this.#userLength);
  }

  /** Length of û that makes û · v_i τ times their cosine; 0 where û is left as it is. */
  get #userLength(): number {
    return this.shape.cosine > 0 ? this.shape.cosine / embeddingLength(this.shape) : 0;
  }

  /** log(1 + days until the next order) from #active's row. */
  #logDays(at: number): number {
    const { hidden } = this.shape;
    const weights = this.#p('days');
    let sum = this.#p('days.bias')[0]!;
    for (let k = 0; k < hidden; k++) sum += weights[k]! * this.#active[at * hidden + k]!;
    return sum;
  }

  /** |log(1 + days) - prediction| where the log has the next order: its minimum is the median. */
  #learnDays(rows: readonly number[], chunk: Chunk, daysWeight: number): number {
    if (!this.parameters.has('days')) return 0;
    const { hidden } = this.shape;
    const asked = rows.flatMap((row, at) => (Number.isNaN(chunk.orderDays[row]!) ? [] : [{ row, at }]));
    const share = daysWeight / Math.max(1, asked.length);
    const weights = this.#p('days');
    const gradient = this.#g('days');
    let loss = 0;
    for (const { row, at } of asked) {
      const error = this.#logDays(at) - Math.log1p(chunk.orderDays[row]!);
      const slope = share * Math.sign(error);
      loss += share * Math.abs(error);
      this.#g('days.bias')[0]! += slope;
      for (let k = 0; k < hidden; k++) {
        gradient[k]! += slope * this.#active[at * hidden + k]!;
        this.#activeGradient[at * hidden + k]! += slope * weights[k]!;
      }
    }
    return loss;
  }

  #learnKinds(rows: readonly number[], chunk: Chunk, kindWeight: number): void {
    const { hidden } = this.shape;
    const shape = { m: rows.length, n: KINDS, k: hidden };
    this.#kernels.matmul(this.#kindLogits, this.#active, this.#p('kind'), shape, { transposeB: true });
    addBias(this.#kindLogits, this.#p('kind.bias'), rows.length);
    const weights = this.#normalise(new Float32Array(rows.length).fill(kindWeight), Math.max(1, rows.length));
    const targets = Int32Array.from(rows, (row) => chunk.targetKind[row]!);
    this.#kernels.softmaxCrossEntropy(this.#kindLogits, targets, weights, { rows: rows.length, classes: KINDS });
    this.#kernels.matmul(this.#activeGradient, this.#kindLogits, this.#p('kind'), { m: rows.length, n: hidden, k: KINDS }, { accumulate: true });
    this.#kernels.matmul(this.#g('kind'), this.#kindLogits, this.#active, { m: KINDS, n: hidden, k: rows.length }, { transposeA: true });
    addColumns(this.#g('kind.bias'), this.#kindLogits, rows.length);
  }

  /** Weights divided by a total, in kernel memory. */
  #normalise(weights: Float32Array, total: number): Float32Array {
    for (let row = 0; row < weights.length; row++) this.#weights[row] = weights[row]! / total;
    return this.#weights.subarray(0, weights.length);
  }
}
