import type * as tfjs from '@tensorflow/tfjs-core';
import type { Device } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { loadWebgpuDevice } from '../../src/compute/webgpu/load.ts';
import { seededValues } from '../../test/helpers/device-programs.ts';
import { HEAD_ROWS, HEADS, headInput, headLayers, transpose, type HeadName } from './models.ts';
import { startOnnxruntime } from './peers/onnxruntime.ts';
import { startTfjsWasm } from './peers/tfjs-wasm.ts';
import { largestDifference, timeRounds, type Contender, type Times } from './rounds.ts';

const ITEMS = 500;
const DIMENSIONS = 384;

/** One shopper's vector against the vectors of 500 candidates that are there already. */
export async function dotProducts(rounds: number): Promise<Times<'shelfwise' | 'tfjs-wasm'>> {
  const tf = await startTfjsWasm();
  const device = await createWasmDevice();
  const vectors = seededValues(ITEMS * DIMENSIONS, 1, 1);
  const shopper = seededValues(DIMENSIONS, 1, 2);
  const uploaded = device.upload(vectors, [ITEMS, DIMENSIONS]);
  const matrix = tf.tensor2d(vectors, [ITEMS, DIMENSIONS]);
  return timeRounds(
    {
      shelfwise: async () => (await device.run((ops) => [ops.linear(ops.input(shopper, [1, DIMENSIONS]), uploaded, null)]))[0]!,
      'tfjs-wasm': () => readTf(tf, () => tf.matMul(matrix, tf.tensor2d(shopper, [DIMENSIONS, 1]))),
    },
    { rounds, tolerance: 1e-3 }, // of sums of 384 products up to 1
  );
}

export async function scoreHead(head: HeadName, rounds: number): Promise<Times<'shelfwise' | 'tfjs-wasm' | 'onnxruntime-web'>> {
  const tf = await startTfjsWasm();
  return timeRounds(
    { shelfwise: ourHead(await createWasmDevice(), head), 'tfjs-wasm': tfjsHead(tf, head), 'onnxruntime-web': await onnxHead(head) },
    { rounds, tolerance: 1e-4 },
  );
}

/** Largest absolute difference of the shipped head's scores on WebGPU from the reference's. */
export async function headOnWebgpu(): Promise<number> {
  const gpu = await ourHead(await loadWebgpuDevice(), 'shipped')();
  return largestDifference(await ourHead(createReferenceDevice(), 'shipped')(), gpu);
}

function ourHead(device: Device, head: HeadName): () => Promise<Float32Array> {
  const x = headInput(head);
  const layers = headLayers(head).map(({ rows, columns, weight, bias }) => ({ weight: device.upload(weight, [rows, columns]), bias: device.upload(bias, [rows]) }));
  return async () => {
    const [scores] = await device.run((ops) => [
      layers.reduce((input, { weight, bias }, at) => ops.linear(input, weight, bias, at < layers.length - 1 ? 'relu' : 'none'), ops.input(x, [HEAD_ROWS, HEADS[head][0]])),
    ]);
    return scores!;
  };
}

/** Bias and activation fused into the products, which tfjs-wasm has for relu. */
function tfjsHead(tf: typeof tfjs, head: HeadName): Contender {
  const x = headInput(head);
  const layers = headLayers(head).map(({ rows, columns, weight, bias }) => ({ weight: tf.tensor2d(transpose(weight, rows, columns), [columns, rows]), bias: tf.tensor1d(bias) }));
  return () =>
    readTf(tf, () => {
      let a = tf.tensor2d(x, [HEAD_ROWS, HEADS[head][0]]);
      layers.forEach(({ weight, bias }, at) => {
        a = tf.fused.matMul({ a, b: weight, bias, activation: at < layers.length - 1 ? 'relu' : 'linear' }) as tfjs.Tensor2D;
      });
      return a;
    });
}

async function onnxHead(head: HeadName): Promise<Contender> {
  const ort = startOnnxruntime();
  const session = await ort.InferenceSession.create(`/onnx/head-${head}.onnx`);
  const x = headInput(head);
  return async () => (await session.run({ x: new ort.Tensor('float32', x, [HEAD_ROWS, HEADS[head][0]]) }))['y']!.data as Float32Array;
}

function readTf(tf: typeof tfjs, program: () => tfjs.Tensor): Float32Array {
  const result = tf.tidy(program);
  const values = result.dataSync<'float32'>();
  result.dispose();
  return values;
}
