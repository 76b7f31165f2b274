import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { HEAD_LAYERS } from '../rank/head.ts';
import { createParameters, type ParameterSet } from './parameters.ts';
import { addColumns } from './row-sums.ts';

export interface HeadShape {
  /** Standardised values and masks, 2 · features. */
  readonly input: number;
  /** Size of h_u; 0 for a head without it. */
  readonly context: number;
  /** Candidates per list. */
  readonly listLength: number;
  /** Lists per step, at most. */
  readonly lists: number;
}

/** Lists of candidates, and how much each of them is a right answer. */
export interface HeadBatch {
  readonly lists: number;
  /** [lists · listLength, input] */
  readonly x: Float32Array;
  /** h_u of each list, [lists, context]. */
  readonly context: Float32Array;
  /** Added to the scores before the soft-max: log of how many items a sampled one stands for; -∞-like for padding, [lists · listLength]. */
  readonly offsets: Float32Array;
  /** The distribution that the soft-max is to give, [lists · listLength]; each list's shares sum to 1. */
  readonly shares: Float32Array;
}

const [FIRST, SECOND] = HEAD_LAYERS;

/** The joint head with its gradients, on training kernels: the trained twin of `rank/head.ts`; the loss is a soft-max over each list. */
export class HeadNetwork {
  readonly shape: HeadShape;
  readonly parameters: ParameterSet;
  readonly #kernels: TrainingKernels;
  readonly #x: Float32Array; // [rows, input]
  readonly #context: Float32Array; // [lists, context]
  readonly #contextBias: Float32Array; // [lists, FIRST]
  readonly #contextGradient: Float32Array; // [lists, FIRST]
  readonly #first: Float32Array; // [rows, FIRST]
  readonly #firstGradient: Float32Array;
  readonly #second: Float32Array; // [rows, SECOND]
  readonly #secondGradient: Float32Array;
  readonly #scores: Float32Array; // [rows, 1]
  readonly #weights: Float32Array; // [lists]
  readonly #firstRows: Int32Array; // [lists], zeros

  constructor(shape: HeadShape, kernels: TrainingKernels, random: Random) {
    const rows = shape.lists * shape.listLength;
    this.shape = shape;
    this.#kernels = kernels;
    this.parameters = createParameters(kernels, random, {
      ...(shape.context > 0 ? { context: { shape: [FIRST, shape.context], spread: 0.02 } } : {}),
      layer0: { shape: [FIRST, shape.input], spread: Math.sqrt(3 / shape.input) },
      'layer0.bias': { shape: [FIRST], spread: 0 },
      layer1: { shape: [SECOND, FIRST], spread: Math.sqrt(3 / FIRST) },
      'layer1.bias': { shape: [SECOND], spread: 0 },
      layer2: { shape: [1, SECOND], spread: Math.sqrt(3 / SECOND) },
      'layer2.bias': { shape: [1], spread: 0 },
    });
    this.#x = kernels.allocate(rows * shape.input);
    this.#context = kernels.allocate(Math.max(1, shape.lists * shape.context));
    this.#contextBias = kernels.allocate(shape.lists * FIRST);
    this.#contextGradient = kernels.allocate(shape.lists * FIRST);
    this.#first = kernels.allocate(rows * FIRST);
    this.#firstGradient = kernels.allocate(rows * FIRST);
    this.#second = kernels.allocate(rows * SECOND);
    this.#secondGradient = kernels.allocate(rows * SECOND);
    this.#scores = kernels.allocate(rows);
    this.#weights = kernels.allocate(shape.lists);
    this.#firstRows = new Int32Array(shape.lists);
  }

  /** Scores of every row, [lists · listLength]: a view, valid until the next call. */
  forward(batch: HeadBatch): Float32Array {
    const { input, context, listLength } = this.shape;
    const rows = batch.lists * listLength;
    const kernels = this.#kernels;
    this.#x.set(batch.x);
    this.#contextBias.fill(0);
    if (context > 0) {
      this.#context.set(batch.context);
      kernels.matmul(this.#contextBias, this.#context, this.#p('context'), { m: batch.lists, n: FIRST, k: context }, { transposeB: true });
    }
    kernels.matmul(this.#first, this.#x, this.#p('layer0'), { m: rows, n: FIRST, k: input }, { transposeB: true });
    const bias = this.#p('layer0.bias');
    for (let row = 0; row < rows; row++) {
      const list = Math.floor(row / listLength);
      for (let k = 0; k < FIRST; k++) {
        const at = row * FIRST + k;
        this.#first[at] = Math.max(0, this.#first[at]! + bias[k]! + this.#contextBias[list * FIRST + k]!);
      }
    }
    kernels.matmul(this.#second, this.#first, this.#p('layer1'), { m: rows, n: SECOND, k: FIRST }, { transposeB: true });
    const secondBias = this.#p('layer1.bias');
    for (let at = 0; at < rows * SECOND; at++) this.#second[at] = Math.max(0, this.#second[at]! + secondBias[at % SECOND]!);
    kernels.matmul(this.#scores, this.#second, this.#p('layer2'), { m: rows, n: 1, k: SECOND }, { transposeB: true });
    const lastBias = this.#p('layer2.bias')[0]!;
    for (let row = 0; row < rows; row++) this.#scores[row]! += lastBias;
    return this.#scores.subarray(0, rows);
  }

  /** Mean loss of the batch's lists; gradients are written, not applied. */
  learn(batch: HeadBatch): number {
    const { input, context, listLength } = this.shape;
    const rows = batch.lists * listLength;
    const kernels = this.#kernels;
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
    const scores = this.forward(batch);
    for (let row = 0; row < rows; row++) scores[row]! += batch.offsets[row]!;
    // The kernel knows one right answer; of another distribution, loss and gradient differ by what is linear in the scores.
    let loss = 0;
    for (let row = 0; row < rows; row++) loss += (batch.shares[row]! * (scores[row - (row % listLength)]! - scores[row]!)) / batch.lists;
    this.#weights.fill(1 / batch.lists);
    loss += kernels.softmaxCrossEntropy(this.#scores, this.#firstRows, this.#weights, { rows: batch.lists, classes: listLength });
    for (let row = 0; row < rows; row++) this.#scores[row]! += (Number(row % listLength === 0) - batch.shares[row]!) / batch.lists;

    kernels.matmul(this.#g('layer2'), this.#scores, this.#second, { m: 1, n: SECOND, k: rows }, { transposeA: true });
    for (let row = 0; row < rows; row++) this.#g('layer2.bias')[0]! += this.#scores[row]!;
    kernels.matmul(this.#secondGradient, this.#scores, this.#p('layer2'), { m: rows, n: SECOND, k: 1 });
    backRelu(this.#secondGradient, this.#second, rows * SECOND);
    kernels.matmul(this.#g('layer1'), this.#secondGradient, this.#first, { m: SECOND, n: FIRST, k: rows }, { transposeA: true });
    addColumns(this.#g('layer1.bias'), this.#secondGradient, rows);
    kernels.matmul(this.#firstGradient, this.#secondGradient, this.#p('layer1'), { m: rows, n: FIRST, k: SECOND });
    backRelu(this.#firstGradient, this.#first, rows * FIRST);
    kernels.matmul(this.#g('layer0'), this.#firstGradient, this.#x, { m: FIRST, n: input, k: rows }, { transposeA: true });
    addColumns(this.#g('layer0.bias'), this.#firstGradient, rows);
    if (context > 0) {
      this.#contextGradient.fill(0);
      for (let row = 0; row < rows; row++) {
        const list = Math.floor(row / listLength);
        for (let k = 0; k < FIRST; k++) this.#contextGradient[list * FIRST + k]! += this.#firstGradient[row * FIRST + k]!;
      }
      kernels.matmul(this.#g('context'), this.#contextGradient, this.#context, { m: FIRST, n: context, k: batch.lists }, { transposeA: true });
    }
    return loss;
  }

  #p(name: string): Float32Array {
    return this.parameters.get(name)!.values;
  }

  #g(name: string): Float32Array {
    return this.parameters.get(name)!.gradient;
  }
}

function backRelu(gradient: Float32Array, activated: Float32Array, length: number): void {
  for (let at = 0; at < length; at++) if (activated[at]! <= 0) gradient[at] = 0;
}
