import type * as tfjs from '@tensorflow/tfjs-core';
import { createTrainingKernels } from '../../src/compute/create-training-kernels.ts';
import { createParameters, stepAdamW, type Parameter, type ParameterSet } from '../../src/learn/parameters.ts';
import { createRandom } from '../../src/lib/random.ts';
import { startTfjsWasm } from './peers/tfjs-wasm.ts';
import { timeRounds, type Contender, type Times } from './rounds.ts';

/** A step of session-parallel training: 64 shoppers side by side, 20 behaviours each, against 256 sampled items. */
const SHAPE = { steps: 20, batch: 64, input: 64, hidden: 64 };
const ITEMS = 256;
const ROWS = SHAPE.steps * SHAPE.batch;
const LEARNING_RATE = 1e-3;
const COMPARED_STEPS = 3;
const TOLERANCE = 1e-3; // of losses near log 256 = 5.5, after steps that each depend on the last

interface Batch {
  /** [rows] item read, and item that comes next. */
  readonly read: Int32Array;
  readonly next: Int32Array;
}

/** One step: x = items[read], LSTM, softmax over items of h · itemsᵀ, gradients of all, AdamW without decay. */
export async function trainStep(rounds: number): Promise<Times<'shelfwise' | 'tfjs-wasm'>> {
  const tf = await startTfjsWasm();
  const random = createRandom(1);
  const draw = (): Int32Array => Int32Array.from({ length: ROWS }, () => random.integer(ITEMS));
  const batch = { read: draw(), next: draw() };
  const ours = ourTraining(batch);
  const theirs = tfjsTraining(tf, batch, ours.parameters);
  for (let step = 0; step < COMPARED_STEPS; step++) {
    const [a, b] = [ours.step(), theirs()];
    if (!(Math.abs(a - b) <= TOLERANCE)) throw new Error(`Step ${step}: our loss is ${a}, tfjs's ${b}.`);
  }
  const asContender = (step: () => number): Contender => () => Float32Array.of(step());
  // Compared above: from here on their numbers of steps differ.
  return timeRounds({ shelfwise: asContender(ours.step), 'tfjs-wasm': asContender(theirs) }, { rounds, tolerance: Infinity });
}

function ourTraining({ read, next }: Batch): { step: () => number; parameters: ParameterSet } {
  const { hidden, input } = SHAPE;
  const kernels = createTrainingKernels();
  const parameters = createParameters(kernels, createRandom(2), {
    items: { shape: [ITEMS, input], spread: 0.2 },
    inputWeights: { shape: [4 * hidden, input], spread: 1 / Math.sqrt(hidden) },
    hiddenWeights: { shape: [4 * hidden, hidden], spread: 1 / Math.sqrt(hidden) },
    bias: { shape: [4 * hidden], spread: 0 },
  });
  const { items, inputWeights, hiddenWeights, bias } = Object.fromEntries(parameters) as Record<'items' | 'inputWeights' | 'hiddenWeights' | 'bias', Parameter>;
  const weights = { inputWeights: inputWeights.values, hiddenWeights: hiddenWeights.values, bias: bias.values };
  const gradients = { inputWeights: inputWeights.gradient, hiddenWeights: hiddenWeights.gradient, bias: bias.gradient };
  const x = kernels.allocate(ROWS * input);
  const gradientX = kernels.allocate(ROWS * input);
  const tape = { gates: kernels.allocate(ROWS * 4 * hidden), hidden: kernels.allocate(ROWS * hidden), cell: kernels.allocate(ROWS * hidden) };
  const gradientHidden = kernels.allocate(ROWS * hidden);
  const logits = kernels.allocate(ROWS * ITEMS);
  const rowWeights = kernels.allocate(ROWS).fill(1 / ROWS);
  const keep = kernels.allocate(ROWS).fill(1);
  const state = kernels.allocate(2 * SHAPE.batch * hidden);
  const before = kernels.allocate(2 * SHAPE.batch * hidden);
  let count = 0;
  const step = (): number => {
    for (const { gradient } of parameters.values()) gradient.fill(0);
    for (let row = 0; row < ROWS; row++) x.set(items.values.subarray(read[row]! * input, (read[row]! + 1) * input), row * input);
    state.fill(0);
    kernels.lstmForward(tape, x, weights, state, keep, SHAPE);
    kernels.matmul(logits, tape.hidden, items.values, { m: ROWS, n: ITEMS, k: hidden }, { transposeB: true });
    const loss = kernels.softmaxCrossEntropy(logits, next, rowWeights, { rows: ROWS, classes: ITEMS });
    kernels.matmul(gradientHidden, logits, items.values, { m: ROWS, n: hidden, k: ITEMS });
    kernels.matmul(items.gradient, logits, tape.hidden, { m: ITEMS, n: hidden, k: ROWS }, { transposeA: true });
    kernels.lstmBackward(gradients, gradientX, gradientHidden, tape, x, weights, before, keep, SHAPE);
    for (let row = 0; row < ROWS; row++) {
      const item = read[row]! * input;
      for (let k = 0; k < input; k++) items.gradient[item + k]! += gradientX[row * input + k]!;
    }
    stepAdamW(kernels, parameters, { step: ++count, learningRate: LEARNING_RATE, weightDecay: 0 });
    return loss;
  };
  return { step, parameters };
}

/**
 * The same in tfjs: its differentiation and its Adam. The gradient of `gather` needs an op that tfjs-wasm does not have, so
 * that items are read by a product with one-hot rows, which are made once.
 */
function tfjsTraining(tf: typeof tfjs, { read, next }: Batch, initial: ParameterSet): () => number {
  const { hidden, batch, steps } = SHAPE;
  const variable = <R extends tfjs.Rank>(name: string): tfjs.Variable<R> => {
    const { shape, values } = initial.get(name)!;
    return tf.variable(tf.tensor(values.slice(), [...shape] as tfjs.ShapeMap[R], 'float32'), true, name);
  };
  const items = variable<tfjs.Rank.R2>('items');
  const inputWeights = variable<tfjs.Rank.R2>('inputWeights');
  const hiddenWeights = variable<tfjs.Rank.R2>('hiddenWeights');
  const bias = variable<tfjs.Rank.R1>('bias');
  const [readRows, nextRows] = [read, next].map((rows) => oneHot(tf, rows)) as [tfjs.Tensor2D, tfjs.Tensor2D];
  const optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
  const loss = (): tfjs.Scalar => {
    const x = tf.matMul(readRows, items); // [rows, input]
    const fromInput = tf.add(tf.matMul(x, inputWeights, false, true), bias); // [rows, 4 · hidden]
    let h: tfjs.Tensor2D = tf.zeros([batch, hidden]);
    let c: tfjs.Tensor2D = tf.zeros([batch, hidden]);
    const states: tfjs.Tensor2D[] = [];
    for (const step of tf.unstack(tf.reshape(fromInput, [steps, batch, 4 * hidden]))) {
      const gates = tf.add(step, tf.matMul(h, hiddenWeights, false, true));
      const [i, f, g, o] = tf.split(gates, 4, 1) as [tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D];
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      states.push(h);
    }
    const logits = tf.matMul(tf.concat(states), items, false, true); // [rows, items]
    return tf.losses.softmaxCrossEntropy(nextRows, logits);
  };
  return () => {
    const cost = optimizer.minimize(loss, true)!;
    const value = cost.dataSync()[0]!;
    cost.dispose();
    return value;
  };
}

function oneHot(tf: typeof tfjs, rows: Int32Array): tfjs.Tensor2D {
  const values = new Float32Array(rows.length * ITEMS);
  rows.forEach((item, row) => (values[row * ITEMS + item] = 1));
  return tf.tensor2d(values, [rows.length, ITEMS]);
}
