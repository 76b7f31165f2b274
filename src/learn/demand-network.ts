import type { LstmParameters, LstmShape, LstmTape, TrainingKernels } from '../compute/training-kernels.ts';
import { DEMAND_FEATURES, scaleAt, toScaledLog, WINDOW_WEEKS, writeWeek } from '../forecast/demand-input.ts';
import type { WeeklySales } from '../forecast/demand-input.ts';
import { HEAD_OUTPUTS, headQuantiles, QUANTILES } from '../forecast/demand.ts';
import type { Random } from '../lib/random.ts';
import { createParameters } from './parameters.ts';
import type { ParameterSet } from './parameters.ts';

/** A window of a series that ends before week `end`: each of its weeks predicts the next one, the last predicts `end`. */
export interface DemandWindow {
  readonly sales: WeeklySales;
  readonly end: number;
  /** Weeks before this one are read but not learnt. */
  readonly learnFrom: number;
}

/**
 * Pinball loss (Koenker & Bassett 1978) of the quantiles .1, .5 and .9 that outputs [rows, 3] stand for; the mean over all
 * rows of weight 1. Rows of weight 0 (unknown weeks) count nothing. `gradient` [rows, 3] is overwritten with d(loss)/d(outputs).
 */
export function pinballLoss(outputs: Float32Array, targets: Float32Array, weights: Float32Array, gradient: Float32Array): number {
  gradient.fill(0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let loss = 0;
  weights.forEach((weight, row) => {
    if (weight === 0) return;
    const at = HEAD_OUTPUTS * row;
    const [median, below, above] = [outputs[at]!, outputs[at + 1]!, outputs[at + 2]!];
    const slopes = headQuantiles(median, below, above).map((quantile, q) => {
      const level = QUANTILES[q]!;
      const error = targets[row]! - quantile;
      const slope = error > 0 ? -level : 1 - level; // d(loss)/d(quantile)
      loss += (weight / total) * -slope * error;
      return (slope * weight) / total;
    });
    gradient[at] = slopes[0]! + slopes[1]! + slopes[2]!;
    gradient[at + 1] = -slopes[0]! * sigmoid(below);
    gradient[at + 2] = slopes[2]! * sigmoid(above);
  });
  return loss;
}

/** The demand LSTM with its gradients, on training kernels: the trained twin of `forecast/demand.ts`. */
export class DemandNetwork {
  readonly parameters: ParameterSet;
  readonly batch: number;
  readonly #kernels: TrainingKernels;
  readonly #shape: LstmShape;
  readonly #x: Float32Array; // [steps, batch, features]
  readonly #xGradient: Float32Array;
  readonly #tape: LstmTape;
  readonly #hiddenGradient: Float32Array; // [steps, batch, hidden]
  readonly #state: Float32Array; // [2, batch, hidden]
  readonly #zeroState: Float32Array;
  readonly #keep: Float32Array; // [steps, batch]
  readonly #outputs: Float32Array; // [steps, batch, 3]
  readonly #outputGradient: Float32Array;
  readonly #targets: Float32Array; // [steps, batch]
  readonly #weights: Float32Array; // [steps, batch]

  constructor(hidden: number, batch: number, kernels: TrainingKernels, random: Random) {
    const rows = WINDOW_WEEKS * batch;
    const spread = 1 / Math.sqrt(hidden);
    this.#kernels = kernels;
    this.batch = batch;
    this.#shape = { steps: WINDOW_WEEKS, batch, input: DEMAND_FEATURES, hidden };
    this.parameters = createParameters(kernels, random, {
      'demand.lstm.input': { shape: [4 * hidden, DEMAND_FEATURES], spread },
      'demand.lstm.hidden': { shape: [4 * hidden, hidden], spread },
      'demand.lstm.bias': { shape: [4 * hidden], spread: 0 },
      'demand.head': { shape: [HEAD_OUTPUTS, hidden], spread },
      'demand.head.bias': { shape: [HEAD_OUTPUTS], spread: 0 },
    });
    this.#values('demand.lstm.bias').fill(1, hidden, 2 * hidden); // an open forget gate at the start (Jozefowicz et al. 2015)
    this.#values('demand.head.bias')[0] = Math.LN2; // a week like the recent mean
    this.#x = kernels.allocate(rows * DEMAND_FEATURES);
    this.#xGradient = kernels.allocate(rows * DEMAND_FEATURES);
    this.#tape = { gates: kernels.allocate(rows * 4 * hidden), hidden: kernels.allocate(rows * hidden), cell: kernels.allocate(rows * hidden) };
    this.#hiddenGradient = kernels.allocate(rows * hidden);
    this.#state = kernels.allocate(2 * batch * hidden);
    this.#zeroState = kernels.allocate(2 * batch * hidden);
    this.#keep = kernels.allocate(rows).fill(1);
    this.#outputs = kernels.allocate(rows * HEAD_OUTPUTS);
    this.#outputGradient = kernels.allocate(rows * HEAD_OUTPUTS);
    this.#targets = kernels.allocate(rows);
    this.#weights = kernels.allocate(rows);
  }

  /** Loss of at most `batch` windows; gradients are written, not applied. */
  learn(windows: readonly DemandWindow[]): number {
    const { hidden } = this.#shape;
    const rows = WINDOW_WEEKS * this.batch;
    const loss = this.loss(windows);
    const head = { inner: this.#values('demand.head'), gradient: this.#gradient('demand.head') };
    for (const { gradient } of this.parameters.values()) gradient.fill(0);

    this.#kernels.matmul(this.#hiddenGradient, this.#outputGradient, head.inner, { m: rows, n: hidden, k: HEAD_OUTPUTS });
    this.#kernels.matmul(head.gradient, this.#outputGradient, this.#tape.hidden, { m: HEAD_OUTPUTS, n: hidden, k: rows }, { transposeA: true });
    const biasGradient = this.#gradient('demand.head.bias');
    this.#outputGradient.forEach((value, k) => (biasGradient[k % HEAD_OUTPUTS]! += value));
    const gradients = this.#lstm((name) => this.#gradient(name));
    const parameters = this.#lstm((name) => this.#values(name));
    this.#kernels.lstmBackward(gradients, this.#xGradient, this.#hiddenGradient, this.#tape, this.#x, parameters, this.#zeroState, this.#keep, this.#shape);
    return loss;
  }

  /** Mean pinball loss of at most `batch` windows over their known weeks. */
  loss(windows: readonly DemandWindow[]): number {
    this.#read(windows);
    this.#forward();
    return pinballLoss(this.#outputs, this.#targets, this.#weights, this.#outputGradient);
  }

  /** Weeks that the last batch predicted. */
  get known(): number {
    return this.#weights.reduce((sum, weight) => sum + weight, 0);
  }

  #read(windows: readonly DemandWindow[]): void {
    const { batch } = this;
    this.#x.fill(0);
    this.#weights.fill(0);
    windows.forEach(({ sales, end, learnFrom }, lane) => {
      for (let step = 0; step < WINDOW_WEEKS; step++) {
        const week = end - WINDOW_WEEKS + step;
        const row = step * batch + lane;
        writeWeek(this.#x, row * DEMAND_FEATURES, sales, week);
        const next = sales.values[week + 1] ?? NaN;
        if (Number.isNaN(next) || week + 1 < learnFrom) continue;
        this.#targets[row] = toScaledLog(next, scaleAt(sales, week));
        this.#weights[row] = 1;
      }
    });
  }

  #forward(): void {
    const { hidden } = this.#shape;
    const rows = WINDOW_WEEKS * this.batch;
    this.#state.fill(0);
    this.#kernels.lstmForward(this.#tape, this.#x, this.#lstm((name) => this.#values(name)), this.#state, this.#keep, this.#shape);
    this.#kernels.matmul(this.#outputs, this.#tape.hidden, this.#values('demand.head'), { m: rows, n: HEAD_OUTPUTS, k: hidden }, { transposeB: true });
    const bias = this.#values('demand.head.bias');
    for (let k = 0; k < this.#outputs.length; k++) this.#outputs[k]! += bias[k % HEAD_OUTPUTS]!;
  }

  #lstm(array: (name: string) => Float32Array): LstmParameters {
    return { inputWeights: array('demand.lstm.input'), hiddenWeights: array('demand.lstm.hidden'), bias: array('demand.lstm.bias') };
  }

  #values(name: string): Float32Array {
    return this.parameters.get(name)!.values;
  }

  #gradient(name: string): Float32Array {
    return this.parameters.get(name)!.gradient;
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
