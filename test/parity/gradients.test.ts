// Our kernels against TensorFlow.js's own automatic differentiation: LSTM and head from its plain operations, on its CPU backend.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '../helpers/tfjs.ts';
import { beforeAll, describe, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import type { LstmShape, TrainingKernels } from '../../src/compute/training-kernels.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { createItemLoss, type ItemLossOptions } from '../../src/learn/losses.ts';
import { createNegativeSampler } from '../../src/learn/negative-sampler.ts';
import { createRandom } from '../../src/lib/random.ts';
import { expectClose, seededValues } from '../unit/compute/numbers.ts';

const TOLERANCE = 1e-4;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** hidden [steps, batch, hidden] of a PyTorch-ordered LSTM, in the operations of tfjs. */
function tfLstm(
  x: tf.Tensor3D,
  { inputWeights, hiddenWeights, bias }: { inputWeights: tf.Tensor2D; hiddenWeights: tf.Tensor2D; bias: tf.Tensor1D },
  initialState: tf.Tensor3D,
  keep: tf.Tensor2D,
): tf.Tensor3D {
  const [steps, batch] = keep.shape;
  const size = hiddenWeights.shape[1];
  let [hidden, cell] = tf.unstack(initialState) as [tf.Tensor2D, tf.Tensor2D]; // [batch, size] each
  const outputs: tf.Tensor[] = [];
  for (let t = 0; t < steps; t += 1) {
    const kept = keep.slice([t, 0], [1, batch]).reshape<tf.Tensor2D>([batch, 1]);
    const step = x.slice([t, 0, 0], [1, -1, -1]).reshape<tf.Tensor2D>([batch, -1]); // [batch, input]
    const gates = tf.matMul(step, inputWeights, false, true)
      .add(tf.matMul(hidden.mul(kept), hiddenWeights, false, true))
      .add<tf.Tensor2D>(bias); // [batch, 4 · size]
    const [input, forget, candidate, output] = tf.split(gates, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    cell = cell.mul(kept).mul(forget.sigmoid()).add<tf.Tensor2D>(input.sigmoid().mul(candidate.tanh()));
    hidden = output.sigmoid().mul<tf.Tensor2D>(cell.tanh());
    outputs.push(hidden);
  }
  return tf.stack(outputs).reshape<tf.Tensor3D>([steps, batch, size]);
}

describe.each<[string, () => TrainingKernels]>([
  ['reference', createReferenceTrainingKernels],
  ['wasm', () => createWasmTrainingKernels({ maxBytes: 16 * 1024 * 1024 })],
])('%s kernels and tfjs', (_, create) => {
  const kernels = create();
  const values = seededValues(21);
  const make = (length: number, scale = 1): Float32Array => {
    const array = kernels.allocate(length);
    array.set(values(length, scale));
    return array;
  };

  it.each<LstmShape>([
    { steps: 7, batch: 5, input: 13, hidden: 24 },
    { steps: 12, batch: 1, input: 8, hidden: 10 },
  ])('agree on an LSTM and its gradients ($steps steps, batch $batch)', (shape) => {
    const { steps, batch, input, hidden } = shape;
    const rows = steps * batch;
    const parameters = {
      inputWeights: make(4 * hidden * input, 0.5), hiddenWeights: make(4 * hidden * hidden, 0.5), bias: make(4 * hidden, 0.5),
    };
    const tape = { gates: make(rows * 4 * hidden), hidden: make(rows * hidden), cell: make(rows * hidden) };
    const x = make(rows * input);
    const initialState = make(2 * batch * hidden);
    const state = kernels.allocate(initialState.length);
    state.set(initialState);
    const keep = kernels.allocate(rows).fill(1);
    keep[2 * batch] = 0;
    const direction = make(rows * hidden); // loss = Σ direction · hidden
    kernels.lstmForward(tape, x, parameters, state, keep, shape);
    const gradients = {
      inputWeights: kernels.allocate(parameters.inputWeights.length),
      hiddenWeights: kernels.allocate(parameters.hiddenWeights.length),
      bias: kernels.allocate(4 * hidden),
    };
    const gradientX = kernels.allocate(x.length);
    kernels.lstmBackward(gradients, gradientX, direction, tape, x, parameters, initialState, keep, shape);

    const inputs = [
      tf.tensor3d(x, [steps, batch, input]),
      tf.tensor2d(parameters.inputWeights, [4 * hidden, input]),
      tf.tensor2d(parameters.hiddenWeights, [4 * hidden, hidden]),
      tf.tensor1d(parameters.bias),
    ] as const;
    const initial = tf.tensor3d(initialState, [2, batch, hidden]);
    const kept = tf.tensor2d(keep, [steps, batch]);
    const run = (...[sequence, inputWeights, hiddenWeights, bias]: tf.Tensor[]): tf.Tensor3D =>
      tfLstm(
        sequence as tf.Tensor3D,
        { inputWeights: inputWeights as tf.Tensor2D, hiddenWeights: hiddenWeights as tf.Tensor2D, bias: bias as tf.Tensor1D },
        initial,
        kept,
      );
    expectClose(tape.hidden, run(...inputs).dataSync(), TOLERANCE);
    const towards = tf.tensor3d(direction, [steps, batch, hidden]);
    const expected = tf.grads((...tensors: tf.Tensor[]) => run(...tensors).mul(towards).sum())([...inputs]);
    const actual = [gradientX, gradients.inputWeights, gradients.hiddenWeights, gradients.bias];
    expected.forEach((tensor, i) => expectClose(actual[i]!, tensor.dataSync(), TOLERANCE));
  });

  it.each<ItemLossOptions>([
    { kind: 'softmax' },
    { kind: 'sampled-softmax', negatives: 9, sampler: 'popularity' },
    { kind: 'gbce', negatives: 7, calibration: 0.75 },
  ])('agree on the loss of the next item and its gradients: %o', (options) => {
    const shape = { rows: 13, items: 24, embedding: 6 };
    const { rows, items, embedding } = shape;
    const counts = Array.from({ length: items }, (_, item) => 1 + item);
    const loss = createItemLoss(options, shape, counts, kernels);
    const drawn = loss.draw(createRandom(2)) ?? Int32Array.from({ length: items }, (_, item) => item);
    const user = make(rows * embedding, 2);
    const table = make((items + 1) * embedding, 2);
    const bias = make(items + 1);
    const weights = make(rows);
    weights.forEach((value, row) => (weights[row] = row % 5 === 4 ? 0 : Math.abs(value)));
    const targets = Int32Array.from({ length: rows }, (_, row) => (row * 5) % items); // some of the first slots, which are the drawn items
    const gradients = { user: kernels.allocate(user.length), items: kernels.allocate(table.length), bias: kernels.allocate(bias.length) };
    const value = loss.learn({ rows, user, items: table, bias, targets, weights }, gradients);

    // The textbook's own form: scores of all slots, a mask of those that each row compares, log-sum-exp and log σ over them.
    const oneHot = tf.oneHot(tf.tensor1d(targets, 'int32'), items).cast('float32'); // [rows, items]
    const compared = tf.buffer([rows, items]);
    for (let row = 0; row < rows; row += 1) {
      for (let slot = 0; slot < items; slot += 1) compared.set(slot < drawn.length || slot === targets[row] ? 1 : 0, row, slot);
    }
    const offsets = tf.buffer([rows, items]);
    if (options.kind === 'sampled-softmax') {
      const { inclusion } = createNegativeSampler(counts, options.negatives);
      for (let row = 0; row < rows; row += 1) {
        drawn.forEach((item, slot) => {
          if (slot !== targets[row]) offsets.set(-Math.log(inclusion[item]!), row, slot);
        });
      }
    }
    const mask = compared.toTensor();
    const lossOf = (...[users, embeddings, biases]: tf.Tensor[]): tf.Scalar => {
      const scores = tf.matMul(users as tf.Tensor2D, (embeddings as tf.Tensor2D).slice([0, 0], [items, embedding]), false, true).add((biases as tf.Tensor1D).slice([0], [items])).add(offsets.toTensor());
      const right = scores.mul(oneHot).sum(1); // [rows]
      let perRow: tf.Tensor;
      if (options.kind === 'gbce') {
        const samplingRate = options.negatives / items;
        const beta = samplingRate * (options.calibration * (1 - 1 / samplingRate) + 1 / samplingRate);
        const wrong = scores.softplus().mul(mask.sub(oneHot)).sum(1);
        perRow = right.neg().softplus().mul(beta).add(wrong).div(options.negatives + 1);
      } else {
        perRow = scores.exp().mul(mask).sum(1).log().sub(right);
      }
      return perRow.mul(tf.tensor1d(weights)).sum().asScalar();
    };
    const inputs = [tf.tensor2d(user, [rows, embedding]), tf.tensor2d(table, [items + 1, embedding]), tf.tensor1d(bias)] as const;
    expectClose([value], lossOf(...inputs).dataSync(), TOLERANCE);
    const expected = tf.grads(lossOf)([...inputs]);
    [gradients.user, gradients.items, gradients.bias].forEach((actual, i) => expectClose(actual, expected[i]!.dataSync(), TOLERANCE));
  });

  it('agree on a head of two relu layers under softmax cross-entropy, and its gradients', () => {
    const [rows, width, hidden, classes] = [11, 19, 14, 23];
    const x = make(rows * width);
    const first = make(hidden * width, 0.5); // [hidden, width]
    const second = make(classes * hidden, 0.5); // [classes, hidden]
    const weights = kernels.allocate(rows).fill(1 / rows);
    const targets = Int32Array.from({ length: rows }, (_, row) => (row * 5) % classes);

    const activations = kernels.allocate(rows * hidden); // [rows, hidden]
    kernels.matmul(activations, x, first, { m: rows, n: hidden, k: width }, { transposeB: true });
    activations.forEach((value, i) => (activations[i] = Math.max(value, 0)));
    const logits = kernels.allocate(rows * classes); // [rows, classes]
    kernels.matmul(logits, activations, second, { m: rows, n: classes, k: hidden }, { transposeB: true });
    const forward = logits.slice();
    const loss = kernels.softmaxCrossEntropy(logits, targets, weights, { rows, classes });
    const gradientSecond = kernels.allocate(second.length);
    kernels.matmul(gradientSecond, logits, activations, { m: classes, n: hidden, k: rows }, { transposeA: true });
    const gradientHidden = kernels.allocate(rows * hidden);
    kernels.matmul(gradientHidden, logits, second, { m: rows, n: hidden, k: classes });
    gradientHidden.forEach((value, i) => (gradientHidden[i] = activations[i]! > 0 ? value : 0));
    const gradientFirst = kernels.allocate(first.length);
    kernels.matmul(gradientFirst, gradientHidden, x, { m: hidden, n: width, k: rows }, { transposeA: true });
    const gradientX = kernels.allocate(x.length);
    kernels.matmul(gradientX, gradientHidden, first, { m: rows, n: width, k: hidden });

    const inputs = [
      tf.tensor2d(x, [rows, width]), tf.tensor2d(first, [hidden, width]), tf.tensor2d(second, [classes, hidden]),
    ] as const;
    const score = (...[input, one, two]: tf.Tensor[]): tf.Tensor2D =>
      tf.matMul(tf.matMul(input as tf.Tensor2D, one as tf.Tensor2D, false, true).relu(), two as tf.Tensor2D, false, true);
    const oneHot = tf.oneHot(tf.tensor1d(targets, 'int32'), classes);
    const meanLoss = (...tensors: tf.Tensor[]): tf.Scalar => tf.losses.softmaxCrossEntropy(oneHot, score(...tensors)).asScalar();
    expectClose(forward, score(...inputs).dataSync(), TOLERANCE);
    expectClose([loss], meanLoss(...inputs).dataSync(), TOLERANCE);
    const expected = tf.grads(meanLoss)([...inputs]);
    [gradientX, gradientFirst, gradientSecond].forEach((actual, i) => expectClose(actual, expected[i]!.dataSync(), TOLERANCE));
  });
});
