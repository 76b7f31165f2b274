import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import { EVENT_FEATURES, pricePosition, writeEventFeatures } from '../behaviour/sequence.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import type { InterestShape, Regularisation } from './interest-network.ts';
import type { ItemTable } from './item-table.ts';
import type { Chunk } from './lanes.ts';
import type { ParameterSet } from './parameters.ts';
import { addBias, addColumns } from './row-sums.ts';
import { createSequenceLayer, type SequenceLayer } from './sequence-layer.ts';
import { scaleRows, unscaleGradients } from './unit-rows.ts';

/** Length of every v_i where scores are cosines: as the LSTM reads it, about .3 a component. */
export const embeddingLength = ({ cosine, embedding }: Pick<InterestShape, 'cosine' | 'embedding'>): number => (cosine > 0 ? 0.3 * Math.sqrt(embedding) : 0);

/** What changes hidden states between the sequence layer and all that reads them (û, p(kind), days), with gradients of its own. */
export interface HiddenAdapter {
  /** Changes the first rows of `active` [rows, hidden] in place, after dropout. */
  forward(active: Float32Array, rows: number): void;
  /** Of that forward: writes the gradients of what it learns, and changes `activeGradient` from those of its results to those of what it was given. */
  backward(activeGradient: Float32Array, rows: number): void;
}

export type ReadingDropout = Pick<Regularisation, 'inputDropout' | 'hiddenDropout'>;

/**
 * A set of lanes of the interest model: reads chunks into user vectors, each lane with a state of its own, and takes gradients back to
 * the parameters. A network has one; what learns more from a chunk may read it again by another.
 */
export class InterestLanes {
  readonly shape: InterestShape;
  /** [rows, input]: the item's embedding after dropout, then the event's features. */
  readonly x: Float32Array;
  readonly xGradient: Float32Array;
  /** [rows, hidden]: hidden states of the rows that were asked for, dropped out and then adapted. */
  readonly active: Float32Array;
  readonly activeGradient: Float32Array;
  /** [rows, embedding]: their user vectors. */
  readonly user: Float32Array;
  readonly userGradient: Float32Array;
  /** Dropout factors of the embeddings that were read, [rows, embedding]. */
  inputFactors = new Float32Array(0);
  hiddenAdapter: HiddenAdapter | null = null;
  readonly #kernels: TrainingKernels;
  readonly #parameters: ParameterSet;
  readonly #items: ItemTable;
  readonly #priceQuantiles: Float32Array;
  readonly #sequence: SequenceLayer;
  readonly #hiddenGradient: Float32Array; // [rows, hidden]
  readonly #userNorms: Float32Array; // [rows]
  readonly #keep: Float32Array; // [rows]
  #item: Int32Array = new Int32Array(0); // [rows], what was read
  #rows: readonly number[] = [];
  #hiddenFactors = new Float32Array(0); // [asked rows, hidden]

  constructor(shape: InterestShape, priceQuantiles: Float32Array, items: ItemTable, parameters: ParameterSet, kernels: TrainingKernels) {
    const { model, embedding, hidden, lanes, steps } = shape;
    const rows = lanes * steps;
    const input = embedding + EVENT_FEATURES;
    this.shape = shape;
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#items = items;
    this.#priceQuantiles = priceQuantiles;
    this.#sequence = createSequenceLayer(model, { lanes, steps, input, hidden }, parameters, kernels);
    this.x = kernels.allocate(rows * input);
    this.xGradient = kernels.allocate(rows * input);
    this.#hiddenGradient = kernels.allocate(rows * hidden);
    this.active = kernels.allocate(rows * hidden);
    this.activeGradient = kernels.allocate(rows * hidden);
    this.user = kernels.allocate(rows * embedding);
    this.userGradient = kernels.allocate(rows * embedding);
    this.#userNorms = new Float32Array(rows);
    this.#keep = kernels.allocate(rows);
  }

  /** Forgets every lane's state; the next chunk starts new shoppers. */
  resetState(): void {
    this.#sequence.resetState();
  }

  /** Reads a chunk; `active` and `user` then are of `rows`, in their order. Without `random` there is no dropout. */
  read(chunk: Chunk, rows: readonly number[], random: Random | null, { inputDropout, hiddenDropout }: ReadingDropout): void {
    this.#item = chunk.item;
    this.#rows = rows;
    this.#keep.set(chunk.keep);
    this.#readEvents(chunk, random, inputDropout);
    const hiddenStates = this.#sequence.forward(this.x, this.#keep, random);
    this.#hiddenFactors = new Float32Array(rows.length * this.shape.hidden);
    this.#activate(hiddenStates, (at) => (this.#hiddenFactors[at] = dropoutFactor(random, hiddenDropout)));
  }

  /** Reads what `first` has read last, with its dropout and in a state of its own, after `change` has been made to x [rows, input]. */
  readAgain(first: InterestLanes, random: Random, change: (x: Float32Array) => void): void {
    this.#item = first.#item;
    this.#rows = first.#rows;
    this.#keep.set(first.#keep);
    this.inputFactors = first.inputFactors;
    this.#hiddenFactors = first.#hiddenFactors;
    this.x.set(first.x);
    change(this.x);
    this.#activate(this.#sequence.forward(this.x, this.#keep, random), (at) => this.#hiddenFactors[at]!);
  }

  /** From `userGradient` to `activeGradient`, which it overwrites, and to the user layer's gradients. */
  backUsers(): void {
    const { embedding, hidden } = this.shape;
    const rows = this.#rows.length;
    if (this.#userLength > 0) unscaleGradients(this.userGradient, this.user, this.#userNorms, rows, embedding, this.#userLength);
    this.#kernels.matmul(this.activeGradient, this.userGradient, this.#p('user'), { m: rows, n: hidden, k: embedding });
    this.#kernels.matmul(this.#g('user'), this.userGradient, this.active, { m: embedding, n: hidden, k: rows }, { transposeA: true, accumulate: true });
    addColumns(this.#g('user.bias'), this.userGradient, rows);
  }

  /** From `activeGradient` to `xGradient`, the sequence layer's gradients and those of the items that were read. */
  backEvents(): void {
    const { embedding, hidden } = this.shape;
    const input = embedding + EVENT_FEATURES;
    this.hiddenAdapter?.backward(this.activeGradient, this.#rows.length);
    this.#hiddenGradient.fill(0);
    this.#rows.forEach((row, at) => {
      for (let k = 0; k < hidden; k++) this.#hiddenGradient[row * hidden + k] = this.activeGradient[at * hidden + k]! * this.#hiddenFactors[at * hidden + k]!;
    });
    this.#sequence.backward(this.xGradient, this.#hiddenGradient, this.x, this.#keep);
    const { gradient } = this.#items;
    for (let row = 0; row < this.#item.length; row++) {
      if (this.#item[row]! < 0) continue;
      const slot = this.#items.slotOf(this.#item[row]!);
      for (let k = 0; k < embedding; k++) gradient[slot * embedding + k]! += this.xGradient[row * input + k]! * this.inputFactors[row * embedding + k]!;
    }
  }

  #p(name: string): Float32Array {
    return this.#parameters.get(name)!.values;
  }

  #g(name: string): Float32Array {
    return this.#parameters.get(name)!.gradient;
  }

  /** Length of û that makes û · v_i τ times their cosine; 0 where û is left as it is. */
  get #userLength(): number {
    return this.shape.cosine > 0 ? this.shape.cosine / embeddingLength(this.shape) : 0;
  }

  /** Writes x [rows, input] from a chunk's events. */
  #readEvents(chunk: Chunk, random: Random | null, dropout: number): void {
    const { embedding } = this.shape;
    const input = embedding + EVENT_FEATURES;
    const factors = new Float32Array(chunk.item.length * embedding).fill(1);
    for (let row = 0; row < chunk.item.length; row++) {
      const item = chunk.item[row]!;
      if (item < 0) {
        this.x.fill(0, row * input, (row + 1) * input);
        continue;
      }
      const slot = this.#items.slotOf(item);
      for (let k = 0; k < embedding; k++) {
        const factor = dropoutFactor(random, dropout);
        factors[row * embedding + k] = factor;
        this.x[row * input + k] = this.#items.embeddings[slot * embedding + k]! * factor;
      }
      const gap = chunk.gap[row]!;
      const price = chunk.price[row]!;
      writeEventFeatures(this.x, row * input + embedding, {
        kind: BEHAVIOUR_KINDS[chunk.kind[row]!]!,
        gapSeconds: Number.isNaN(gap) ? null : gap,
        pricePosition: pricePosition(Number.isNaN(price) ? null : price, this.#priceQuantiles),
        known: true,
      });
    }
    this.inputFactors = factors;
  }

  /** From hidden states [rows, hidden] to `active`, each of its numbers times its factor and then adapted, and `user`. */
  #activate(hiddenStates: Float32Array, factorOf: (at: number) => number): void {
    const { embedding, hidden } = this.shape;
    const rows = this.#rows.length;
    this.#rows.forEach((row, at) => {
      for (let k = 0; k < hidden; k++) this.active[at * hidden + k] = hiddenStates[row * hidden + k]! * factorOf(at * hidden + k);
    });
    this.hiddenAdapter?.forward(this.active, rows);
    this.#kernels.matmul(this.user, this.active, this.#p('user'), { m: rows, n: embedding, k: hidden }, { transposeB: true });
    addBias(this.user, this.#p('user.bias'), rows);
    if (this.#userLength > 0) scaleRows(this.user, this.#userNorms, rows, embedding, this.#userLength);
  }
}

function dropoutFactor(random: Random | null, dropout: number): number {
  if (!random) return 1;
  return random.next() < dropout ? 0 : 1 / (1 - dropout);
}
