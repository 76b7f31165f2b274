import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { EVENT_FEATURES } from '../behaviour/sequence.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { embeddingLength, InterestLanes, type HiddenAdapter } from './interest-lanes.ts';
import { ItemTable } from './item-table.ts';
import type { Chunk } from './lanes.ts';
import { createItemLoss, type ItemLoss, type ItemLossOptions, type LossBatch } from './losses.ts';
import { clearGradients, createParameters, type ParameterSet } from './parameters.ts';
import { addBias, addColumns } from './row-sums.ts';
import { sequencePlan, type SequenceOptions } from './sequence-layer.ts';

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

/** A step between the loss of the next item and the end of its way back. */
export interface LearningStep {
  readonly chunk: Chunk;
  readonly random: Random;
  readonly regularisation: Regularisation;
  /** The network's own lanes, which have read the chunk. */
  readonly lanes: InterestLanes;
  /** The items that the step is about. */
  readonly items: ItemTable;
  readonly loss: ItemLoss;
  /** What `loss` has compared: the chunk's rows that predict, in order. */
  readonly batch: LossBatch;
  /** Rows of the chunk that `batch` is of. */
  readonly rows: readonly number[];
}

/** What learns more from each chunk than the next item, by adding to gradients. */
export interface StepExtension {
  /** What is learnt beside the network's own parameters; a step writes its gradients. */
  readonly parameters?: ParameterSet;
  /** When the user vectors have the gradients of the next item's loss. */
  readonly onUsers?: (step: LearningStep) => void;
  /** When these have gone back to what was read. */
  readonly onEvents?: (step: LearningStep) => void;
}

const KINDS = BEHAVIOUR_KINDS.length;
const NO_DROPOUT = { inputDropout: 0, hiddenDropout: 0 };
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
  readonly #lanes: InterestLanes;
  readonly #scores: Float32Array; // [PREDICTED_ROWS, items]
  readonly #kindLogits: Float32Array; // [rows, kinds]
  readonly #weights: Float32Array; // [rows]
  readonly #kindWeights: Float32Array; // [rows]

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
    this.#loss = createItemLoss(loss, { rows, items, embedding }, itemCounts, kernels);
    const { drawn } = this.#loss;
    const some = drawn === null ? 0 : Math.min(items, drawn + 2 * rows); // drawn, read and to be predicted
    this.#items = new ItemTable({ items, text, embedding, some, length: embeddingLength(shape) }, textVectors, this.parameters, kernels);
    this.#lanes = this.createLanes();
    this.#scores = kernels.allocate(PREDICTED_ROWS * items);
    this.#kindLogits = kernels.allocate(rows * KINDS);
    this.#weights = kernels.allocate(rows);
    this.#kindWeights = kernels.allocate(rows);
  }

  /** Another set of lanes on the same parameters; before they are trained. */
  createLanes(): InterestLanes {
    return new InterestLanes(this.shape, this.#priceQuantiles, this.#items, this.parameters, this.#kernels);
  }

  /** Changes the hidden states that predict from now on, in learning and in predicting. */
  adaptHidden(adapter: HiddenAdapter): void {
    this.#lanes.hiddenAdapter = adapter;
  }

  /** Forgets every lane's state; the next chunk starts new shoppers. */
  resetState(): void {
    this.#lanes.resetState();
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
    const { user } = this.#lanes;
    const rows = this.#readRows(chunk, wanted);
    for (let from = 0; from < rows.length; from += PREDICTED_ROWS) {
      const block = rows.slice(from, from + PREDICTED_ROWS);
      this.#kernels.matmul(this.#scores, user.subarray(from * embedding), embeddings, { m: block.length, n: items, k: embedding }, { transposeB: true });
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
  learn(chunk: Chunk, random: Random, regularisation: Regularisation, extension: StepExtension = {}): { loss: number; weight: number; daysLoss: number } {
    const { items, text } = this.shape;
    const [table, lanes] = [this.#items, this.#lanes];
    clearGradients(this.parameters);

    const residualKept = text > 0 ? Uint8Array.from({ length: items }, () => (random.next() < regularisation.residualDropout ? 0 : 1)) : null;
    const drawn = this.#loss.draw(random);
    if (drawn) table.readSome(drawn, [chunk.item, chunk.targetItem], residualKept);
    else table.readAll(residualKept);
    const rows = Array.from(chunk.targetExists.keys()).filter((row) => chunk.targetExists[row] === 1);
    lanes.read(chunk, rows, random, regularisation);

    const weights = Float32Array.from(rows, (row) => chunk.targetWeight[row]!);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const targets = Int32Array.from(rows, (row) => table.slotOf(chunk.targetItem[row]!));
    const batch = { rows: rows.length, user: lanes.user, items: table.embeddings, bias: table.bias, targets, weights: normalise(this.#weights, weights, Math.max(1, total)) };
    const loss = this.#loss.learn(batch, { user: lanes.userGradient, items: table.gradient, bias: table.biasGradient });
    const step: LearningStep = { chunk, random, regularisation, lanes, items: table, loss: this.#loss, batch, rows };
    extension.onUsers?.(step);

    lanes.backUsers();
    this.#learnKinds(rows, chunk, regularisation.kindWeight);
    const daysLoss = this.#learnDays(rows, chunk, regularisation.daysWeight);
    lanes.backEvents();
    extension.onEvents?.(step);
    table.writeGradients();
    return { loss: loss * Math.max(1, total), weight: total, daysLoss };
  }

  #p(name: string): Float32Array {
    return this.parameters.get(name)!.values;
  }

  #g(name: string): Float32Array {
    return this.parameters.get(name)!.gradient;
  }

  /** Reads a chunk without dropout; returns the rows that `wanted` names. */
  #readRows(chunk: Chunk, wanted: (row: number) => boolean): number[] {
    const rows = Array.from(chunk.keep.keys()).filter(wanted);
    this.#lanes.read(chunk, rows, null, NO_DROPOUT);
    return rows;
  }

  /** log(1 + days until the next order) from a row of what was read. */
  #logDays(at: number): number {
    const { hidden } = this.shape;
    const weights = this.#p('days');
    let sum = this.#p('days.bias')[0]!;
    for (let k = 0; k < hidden; k++) sum += weights[k]! * this.#lanes.active[at * hidden + k]!;
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
        gradient[k]! += slope * this.#lanes.active[at * hidden + k]!;
        this.#lanes.activeGradient[at * hidden + k]! += slope * weights[k]!;
      }
    }
    return loss;
  }

  #learnKinds(rows: readonly number[], chunk: Chunk, kindWeight: number): void {
    const { hidden } = this.shape;
    const shape = { m: rows.length, n: KINDS, k: hidden };
    this.#kernels.matmul(this.#kindLogits, this.#lanes.active, this.#p('kind'), shape, { transposeB: true });
    addBias(this.#kindLogits, this.#p('kind.bias'), rows.length);
    const weights = normalise(this.#kindWeights, new Float32Array(rows.length).fill(kindWeight), Math.max(1, rows.length));
    const targets = Int32Array.from(rows, (row) => chunk.targetKind[row]!);
    this.#kernels.softmaxCrossEntropy(this.#kindLogits, targets, weights, { rows: rows.length, classes: KINDS });
    this.#kernels.matmul(this.#lanes.activeGradient, this.#kindLogits, this.#p('kind'), { m: rows.length, n: hidden, k: KINDS }, { accumulate: true });
    this.#kernels.matmul(this.#g('kind'), this.#kindLogits, this.#lanes.active, { m: KINDS, n: hidden, k: rows.length }, { transposeA: true });
    addColumns(this.#g('kind.bias'), this.#kindLogits, rows.length);
  }
}

/** Weights divided by a total, in kernel memory. */
function normalise(memory: Float32Array, weights: Float32Array, total: number): Float32Array {
  for (let row = 0; row < weights.length; row++) memory[row] = weights[row]! / total;
  return memory.subarray(0, weights.length);
}
