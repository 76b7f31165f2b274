// The trained twin of the encoder's layer against TensorFlow.js's own differentiation of the same layer, written with its plain operations.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '../helpers/tfjs.ts';
import { beforeAll, describe, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../src/compute/wasm/training.ts';
import { bertTensors, dimsOf } from '../../src/encoder/encoder-files.ts';
import { createContrastiveLoss } from '../../src/learn/encoder-tuning/contrastive-loss.ts';
import { TunedNetwork } from '../../src/learn/encoder-tuning/tuned-network.ts';
import { createRandom } from '../../src/lib/random.ts';
import { expectClose, seededValues } from '../unit/compute/numbers.ts';
import { createTinyEncoderPack } from '../helpers/tiny-encoder-pack.ts';

const LENGTHS = [3, 5, 2, 4, 1, 6];
const PAIRS = LENGTHS.length / 2;
const TEMPERATURE = 0.3;

const pack = createTinyEncoderPack();
const dims = dimsOf(pack);
const { hidden, heads } = dims;
const PREFIX = `layer.${dims.layers - 1}.`;

type Weights = Readonly<Record<string, tf.Tensor>>;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function norm(x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
  const deviations = x.sub(x.mean(1, true));
  return deviations.div(deviations.square().mean(1, true).sqrt()).mul(weights[`${name}.weight`]!).add(weights[`${name}.bias`]!);
}

const linear = (x: tf.Tensor, weights: Weights, name: string): tf.Tensor => tf.matMul(x as tf.Tensor2D, weights[`${name}.weight`] as tf.Tensor2D, false, true).add(weights[`${name}.bias`]!);

/** One text: x [length, hidden] to its unit vector [hidden]. */
function vectorOf(x: tf.Tensor2D, weights: Weights): tf.Tensor {
  const size = hidden / heads;
  const qkv = linear(x, weights, 'attention.qkv'); // [length, 3 · hidden]
  const mixed = Array.from({ length: heads }, (_, head) => {
    const [query, key, value] = [0, 1, 2].map((part) => qkv.slice([0, part * hidden + head * size], [-1, size]) as tf.Tensor2D) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    return tf.matMul(tf.softmax(tf.matMul(query, key, false, true).div(Math.sqrt(size))), value);
  });
  const attended = norm(linear(tf.concat(mixed, 1), weights, 'attention.output').add(x), weights, 'attention.norm');
  const wide = linear(attended, weights, 'feedforward.inner'); // [length, intermediate]
  const inner = wide.mul(0.5).mul(wide.div(Math.SQRT2).erf().add(1));
  const out = norm(linear(inner, weights, 'feedforward.outer').add(attended), weights, 'feedforward.norm');
  const mean = out.mean(0);
  return mean.div(mean.square().sum().sqrt());
}

function lossOf(states: readonly tf.Tensor2D[], weights: Weights): tf.Scalar {
  const vectors = states.map((x) => vectorOf(x, weights));
  const scores = tf.matMul(tf.stack(vectors.slice(0, PAIRS)), tf.stack(vectors.slice(PAIRS)), false, true).div<tf.Tensor2D>(TEMPERATURE);
  const right = tf.eye(PAIRS);
  const mean = (rows: tf.Tensor2D): tf.Tensor => tf.logSumExp(rows, 1).sub(rows.mul(right).sum(1)).mean();
  return mean(scores).add(mean(scores.transpose())).div(2).asScalar();
}

describe.each([
  ['reference', createReferenceTrainingKernels],
  ['wasm', () => createWasmTrainingKernels({ maxBytes: 2 ** 24 })],
] as const)('%s kernels and tfjs', (_, create) => {
  it('agree on a layer of the encoder under the contrastive loss, and on all its gradients', () => {
    const kernels = create();
    const values = seededValues(5);
    const states = LENGTHS.map((length) => values(length * hidden));
    const network = new TunedNetwork(bertTensors(pack), { dims, layers: 1, texts: LENGTHS.length, tokens: 21 }, { kind: 'last-layer' }, kernels, createRandom(1));
    const vectors = network.forward(states);
    const loss = createContrastiveLoss({ pairs: PAIRS, size: hidden, temperature: TEMPERATURE }, kernels);
    const gradients = kernels.allocate(2 * PAIRS * hidden);
    const half = PAIRS * hidden;
    const value = loss.learn({ anchors: vectors.subarray(0, half), partners: vectors.subarray(half), isExcluded: () => false }, { anchors: gradients.subarray(0, half), partners: gradients.subarray(half) });
    for (const { gradient } of network.parameters.values()) gradient.fill(0);
    network.backward(gradients, states);

    const names = [...network.parameters.keys()].map((name) => name.slice(PREFIX.length));
    const tensors = names.map((name) => {
      const parameter = network.parameters.get(PREFIX + name)!;
      return tf.tensor(parameter.values, [...parameter.shape]);
    });
    const inputs = states.map((state, text) => tf.tensor2d(state, [LENGTHS[text]!, hidden]));
    const run = (...weights: tf.Tensor[]): tf.Scalar => lossOf(inputs, Object.fromEntries(names.map((name, at) => [name, weights[at]!])));
    expectClose([value], run(...tensors).dataSync(), 1e-5);
    const expected = tf.grads(run)(tensors);
    names.forEach((name, at) => expectClose(network.parameters.get(PREFIX + name)!.gradient, expected[at]!.dataSync(), 1e-4));
  });
});
