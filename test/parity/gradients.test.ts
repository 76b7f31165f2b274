// Our kernels against TensorFlow.js's own automatic differentiation: LSTM and head from its plain operations, on its CPU backend.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '../helpers/tfjs.ts';
import { beforeAll, describe, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import type { LstmShape, TrainingKernels } from '../../src/compute/training-kernels.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
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
