// Our kernels against TensorFlow.js's own automatic differentiation: LSTM and head from its plain operations, on its CPU backend.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '../helpers/tfjs.ts';
import { beforeAll, describe, it } from 'vitest';
import { createNtXent } from '../../bench/helps/nt-xent.ts';
import { Bottleneck } from '../../bench/tuning/bottleneck.ts';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import type { LstmShape, TrainingKernels } from '../../src/compute/training-kernels.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { createItemLoss, type ItemLossOptions } from '../../src/learn/losses.ts';
import { createNegativeSampler } from '../../src/learn/negative-sampler.ts';
import { createParameters, type Parameter } from '../../src/learn/parameters.ts';
import { createSequenceLayer, sequencePlan, type SequenceOptions, type SequenceShape } from '../../src/learn/sequence-layer.ts';
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

/** The same values, through which no gradient goes. */
const frozen = (x: tf.Tensor): tf.Tensor => tf.customGrad((...args) => ({ value: (args[0] as tf.Tensor).add(0), gradFunc: (dy: tf.Tensor) => dy.mul(0) }))(x);

/** A layer of random weights that has read one chunk and then another, which has a new sequence in one lane, and the gradients of Σ direction · hidden. */
function sequenceRun(options: SequenceOptions, shape: SequenceShape, kernels: TrainingKernels, make: (length: number, scale?: number) => Float32Array) {
  const { lanes, steps, input, hidden } = shape;
  const rows = lanes * steps;
  const parameters = createParameters(kernels, createRandom(4), sequencePlan(options, shape));
  const layer = createSequenceLayer(options, shape, parameters, kernels);
  for (const { values } of parameters.values()) make(values.length, 0.5).forEach((value, at) => (values[at]! += value));
  const chunk = (newAt: readonly number[]) => {
    const keep = kernels.allocate(rows).fill(1);
    for (const row of newAt) keep[row] = 0;
    return { x: make(rows * input), keep };
  };
  const chunks = [chunk([0, 1, 2, 2 * lanes]), chunk([lanes + 1])] as const;
  layer.forward(chunks[0].x, chunks[0].keep, null);
  const out = layer.forward(chunks[1].x, chunks[1].keep, null).slice();
  const direction = make(rows * hidden);
  const xGradient = kernels.allocate(rows * input);
  layer.backward(xGradient, direction, chunks[1].x, chunks[1].keep);
  const names = [...parameters.keys()];
  return {
    names,
    chunks,
    inputs: [tf.tensor3d(chunks[1].x, [steps, lanes, input]), ...names.map((name) => tf.tensor(parameters.get(name)!.values, [...parameters.get(name)!.shape]))],
    outputs: { out, direction, gradients: [xGradient, ...names.map((name) => parameters.get(name)!.gradient)] },
  };
}

function compareWithTfjs({ out, direction, gradients }: ReturnType<typeof sequenceRun>['outputs'], inputs: tf.Tensor[], run: (...tensors: tf.Tensor[]) => tf.Tensor, shape: [number, number, number]): void {
  expectClose(out, run(...inputs).dataSync(), TOLERANCE);
  const towards = tf.tensor3d(direction, shape);
  const expected = tf.grads((...tensors: tf.Tensor[]) => run(...tensors).mul(towards).sum())(inputs);
  expected.forEach((tensor, at) => expectClose(gradients[at]!, tensor.dataSync(), TOLERANCE));
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

  it('agree on a GRU and its gradients, over two chunks of which the second has a new sequence', () => {
    const shape = { lanes: 3, steps: 5, input: 7, hidden: 8 };
    const { lanes, steps, input, hidden } = shape;
    const { inputs, outputs, chunks } = sequenceRun({ kind: 'gru' }, shape, kernels, make);
    const [first, second] = chunks;
    const run = (...[x, w, u, b, c]: tf.Tensor[]): tf.Tensor => {
      let state = tf.zeros<tf.Rank.R2>([lanes, hidden]);
      const states: tf.Tensor[] = [];
      for (const [chunk, { keep }] of [first, second].entries()) {
        const source = chunk === 0 ? tf.tensor3d(first.x, [steps, lanes, input]) : (x as tf.Tensor3D);
        for (let step = 0; step < steps; step += 1) {
          const before = state.mul<tf.Tensor2D>(tf.tensor2d(keep.slice(step * lanes, (step + 1) * lanes), [lanes, 1]));
          const read = tf.matMul(source.slice([step, 0, 0], [1, -1, -1]).reshape<tf.Tensor2D>([lanes, input]), w as tf.Tensor2D, false, true).add(b!);
          const recurrent = tf.matMul(before, u as tf.Tensor2D, false, true);
          const [reset, update, candidate] = tf.split(read, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
          const [ownReset, ownUpdate, own] = tf.split(recurrent, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
          const fresh = candidate.add(reset.add(ownReset).sigmoid().mul(own.add(c!))).tanh();
          const z = update.add(ownUpdate).sigmoid();
          state = tf.sub(1, z).mul(fresh).add(z.mul(before));
          if (chunk === 1) states.push(state);
        }
        state = tf.tensor2d(state.dataSync(), [lanes, hidden]); // no gradient goes from one chunk to the one before
      }
      return tf.stack(states);
    };
    compareWithTfjs(outputs, inputs, run, [steps, lanes, hidden]);
  });

  it('agree on a transformer of two blocks and its gradients, over two chunks of which the second has a new sequence', () => {
    const shape = { lanes: 3, steps: 4, input: 7, hidden: 8 };
    const { lanes, steps, input, hidden } = shape;
    const heads = 2;
    const layers = 2;
    const { inputs, outputs, chunks, names } = sequenceRun({ kind: 'transformer', layers, heads, dropout: 0 }, shape, kernels, make);
    const [first, second] = chunks;
    const keep = [...first.keep, ...second.keep];
    // Both chunks at once [2 · steps, lanes, …], under a mask of what each step sees.
    const mask = tf.buffer([lanes, 2 * steps, 2 * steps]);
    for (let lane = 0; lane < lanes; lane += 1) {
      let start = 0;
      for (let t = 0; t < 2 * steps; t += 1) {
        if (keep[t * lanes + lane] === 0) start = t;
        for (let s = 0; s < 2 * steps; s += 1) mask.set(s <= t && s >= start && t - s < steps ? 0 : -1e9, lane, t, s);
      }
    }
    const norm = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor => {
      const centred = x.sub(x.sum(-1, true).div(hidden));
      return centred.div(centred.square().sum(-1, true).div(hidden).add(1e-5).sqrt()).mul(gain).add(bias);
    };
    const run = (...tensors: tf.Tensor[]): tf.Tensor => {
      const get = (name: string): tf.Tensor => tensors[1 + names.indexOf(`transformer.${name}`)]!;
      const dense = (x: tf.Tensor, name: string): tf.Tensor => tf.matMul(x.reshape<tf.Tensor2D>([-1, x.shape.at(-1)!]), get(name) as tf.Tensor2D, false, true).add(get(`${name}Bias`)).reshape([...x.shape.slice(0, -1), get(name).shape[0]]);
      // What the first chunk left is a constant: its stream is computed without x of the second.
      const all = tf.concat([tf.tensor3d(first.x, [steps, lanes, input]), tensors[0] as tf.Tensor3D]).transpose([1, 0, 2]); // [lanes, 2 · steps, input]
      let stream = dense(all, 'input');
      for (let block = 0; block < layers; block += 1) {
        const normed = norm(stream, get(`${block}.before.gain`), get(`${block}.before.bias`));
        const [q, k, v] = tf.split(dense(normed, `${block}.attention`), 3, -1).map((part, at) => {
          const perHead = part.reshape([lanes, 2 * steps, heads, hidden / heads]).transpose([0, 2, 1, 3]); // [lanes, heads, 2 · steps, size]
          if (at === 0) return perHead;
          const old = perHead.slice([0, 0, 0, 0], [-1, -1, steps, -1]);
          const constant = frozen(old);
          return tf.concat([constant, perHead.slice([0, 0, steps, 0])], 2);
        }) as [tf.Tensor, tf.Tensor, tf.Tensor];
        const distance = Array.from({ length: 4 * steps * steps }, (_, at) => Math.min(steps - 1, Math.max(0, Math.floor(at / (2 * steps)) - (at % (2 * steps)))));
        const bias = tf.gather(get(`${block}.distances`), tf.tensor1d(distance, 'int32'), 1).reshape([1, heads, 2 * steps, 2 * steps]);
        const scores = tf.matMul(q, k, false, true).div(Math.sqrt(hidden / heads)).add(bias).add(mask.toTensor().reshape([lanes, 1, 2 * steps, 2 * steps]));
        const seen = tf.matMul(scores.softmax(-1), v).transpose([0, 2, 1, 3]).reshape([lanes, 2 * steps, hidden]);
        stream = stream.add(dense(seen, `${block}.mix`));
        stream = stream.add(dense(dense(norm(stream, get(`${block}.between.gain`), get(`${block}.between.bias`)), `${block}.widen`).relu(), `${block}.narrow`));
      }
      return norm(stream, get('after.gain'), get('after.bias')).slice([0, steps, 0]).transpose([1, 0, 2]);
    };
    compareWithTfjs(outputs, inputs, run, [steps, lanes, hidden]);
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

  it('agree on the contrastive loss of pairs (NT-Xent) and its gradients', () => {
    const [pairs, embedding, temperature, weight] = [5, 6, 0.3, 0.7];
    const rows = 2 * pairs;
    const ntXent = createNtXent({ pairs: 8, embedding, temperature }, kernels);
    const input = make(rows * embedding, 2).slice();
    ntXent.vectors.set(input);
    const value = ntXent.learn(pairs, weight);

    const others = tf.oneHot(tf.tensor1d(Array.from({ length: rows }, (_, row) => (row + pairs) % rows), 'int32'), rows).cast('float32');
    const lossOf = (vectors: tf.Tensor): tf.Scalar => {
      const directions = vectors.div(vectors.square().sum(1, true).sqrt());
      const scores = tf.matMul(directions as tf.Tensor2D, directions as tf.Tensor2D, false, true).div(temperature);
      const normaliser = scores.exp().mul(tf.sub(1, tf.eye(rows))).sum(1).log();
      return normaliser.sub(scores.mul(others).sum(1)).sum().mul(weight / rows).asScalar();
    };
    const vectors = tf.tensor2d(input, [rows, embedding]);
    expectClose([value], lossOf(vectors).dataSync(), TOLERANCE);
    expectClose(ntXent.gradient.subarray(0, rows * embedding), tf.grad(lossOf)(vectors).dataSync(), TOLERANCE);
  });

  it('agree on a bottleneck adapter and its gradients', () => {
    const [rows, hidden, units] = [7, 10, 3];
    const bottleneck = new Bottleneck({ hidden, units, rows: rows + 2 }, kernels, createRandom(6));
    const [down, up] = ['bottleneck.down', 'bottleneck.up'].map((name) => bottleneck.parameters.get(name)!) as [Parameter, Parameter];
    up.values.set(make(up.values.length));
    const given = make(rows * hidden);
    const out = kernels.allocate((rows + 2) * hidden).fill(7); // rows behind those that are adapted stay
    out.set(given);
    bottleneck.forward(out, rows);
    const direction = make(rows * hidden); // loss = Σ direction · out
    const gradient = make(rows * hidden);
    gradient.set(direction);
    bottleneck.backward(gradient, rows);

    const inputs = [tf.tensor2d(given, [rows, hidden]), tf.tensor2d(down.values, [units, hidden]), tf.tensor2d(up.values, [hidden, units])] as const;
    const run = (...[h, d, u]: tf.Tensor[]): tf.Tensor => h!.add(tf.matMul(tf.tanh(tf.matMul(h as tf.Tensor2D, d as tf.Tensor2D, false, true)), u as tf.Tensor2D, false, true));
    expectClose(out.subarray(0, rows * hidden), run(...inputs).dataSync(), TOLERANCE);
    expectClose(out.subarray(rows * hidden), new Float32Array(2 * hidden).fill(7), 0);
    const expected = tf.grads((...tensors: tf.Tensor[]) => run(...tensors).mul(tf.tensor2d(direction, [rows, hidden])).sum())([...inputs]);
    [gradient, down.gradient, up.gradient].forEach((actual, i) => expectClose(actual, expected[i]!.dataSync(), TOLERANCE));
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
