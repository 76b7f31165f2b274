import * as layers from '@tensorflow/tfjs-layers';
import type * as tfjs from '@tensorflow/tfjs-core';
import type { Device, LstmWeights } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { loadWebgpuDevice } from '../../src/compute/webgpu/load.ts';
import { goldenEvents, parseRecommenderPack } from '../../src/rank/recommender-pack.ts';
import { InterestModel } from '../../src/forecast/interest.ts';
import { fetchBytes } from '../../src/packs/fetch-bytes.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { LSTM, LSTM_VALUES, transpose } from './models.ts';
import { startOnnxruntime } from './peers/onnxruntime.ts';
import { startTfjsWasm } from './peers/tfjs-wasm.ts';
import { largestDifference, timeRounds, type Contender, type Times } from './rounds.ts';

const TOLERANCE = 1e-4; // 50 steps in float32, sums in another order
const EVENTS = 50;

type LstmRunner = 'shelfwise' | 'tfjs-wasm' | 'tf.layers' | 'onnxruntime-web';
type LstmTimes = Times<LstmRunner>;

/** Every way to run the LSTM over the first `steps` inputs: the state after them, [2 · hidden]. */
async function contenders(steps: number): Promise<Record<LstmRunner, Contender>> {
  const tf = await startTfjsWasm();
  const x = LSTM_VALUES.x.subarray(0, steps * LSTM.input);
  return {
    shelfwise: ourLstm(await createWasmDevice(), x, steps),
    'tfjs-wasm': tfjsLstm(tf, x, steps),
    'tf.layers': layersLstm(tf, x, steps),
    'onnxruntime-web': await onnxLstm(x, steps),
  };
}

export async function lstmStep(rounds: number): Promise<LstmTimes> {
  return timeRounds(await contenders(1), { rounds, tolerance: TOLERANCE });
}

export async function lstmSequence(rounds: number): Promise<LstmTimes> {
  return timeRounds(await contenders(LSTM.steps), { rounds, tolerance: TOLERANCE });
}

/** The shipped interest LSTM: its state advanced by one more behaviour, or computed anew from the whole history. */
export async function advanceOrRecompute(rounds: number): Promise<Times<'advance' | 'recompute'>> {
  const pack = parseRecommenderPack(await loadPack('/models/online-retail/pack.json', fetchBytes));
  const { text, embedding, hidden } = pack.manifest.dims as Record<'text' | 'embedding' | 'hidden', number>;
  const model = new InterestModel(pack.interest!, { text, embedding, hidden }, pack.itemIds, await createWasmDevice());
  const golden = goldenEvents(pack.itemIds);
  const events = Array.from({ length: EVENTS }, (_, at) => golden[at % golden.length]!);
  const initial = await model.initialState();
  const before = await model.advance(initial, events.slice(0, -1));
  const last = events.slice(-1);
  return timeRounds({ advance: () => model.advance(before, last), recompute: () => model.advance(initial, events) }, { rounds, tolerance: TOLERANCE });
}

/** Largest absolute difference of the state on WebGPU from the reference's. */
export async function lstmOnWebgpu(): Promise<number> {
  const run = (device: Device): Promise<Float32Array> => ourLstm(device, LSTM_VALUES.x, LSTM.steps)();
  return largestDifference(await run(createReferenceDevice()), await run(await loadWebgpuDevice()));
}

function ourLstm(device: Device, x: Float32Array, steps: number): () => Promise<Float32Array> {
  const { batch, input, hidden } = LSTM;
  const { inputWeights, hiddenWeights, bias, state } = LSTM_VALUES;
  const weights: LstmWeights = {
    inputWeights: device.upload(inputWeights, [4 * hidden, input]),
    hiddenWeights: device.upload(hiddenWeights, [4 * hidden, hidden]),
    bias: device.upload(bias, [4 * hidden]),
  };
  return async () => (await device.run((ops) => [ops.lstm(ops.input(x, [steps, batch, input]), weights, ops.input(state, [2, batch, hidden]))]))[0]!;
}

/** As few tfjs ops as it takes: the inputs' share of all steps in one product. A slice cannot be fused as a bias: tfjs-wasm sees its old rank. */
function tfjsLstm(tf: typeof tfjs, x: Float32Array, steps: number): Contender {
  const { input, hidden } = LSTM;
  const { inputWeights, hiddenWeights, bias, state } = LSTM_VALUES;
  const wide = tf.tensor2d(transpose(inputWeights, 4 * hidden, input), [input, 4 * hidden]);
  const recurrent = tf.tensor2d(transpose(hiddenWeights, 4 * hidden, hidden), [hidden, 4 * hidden]);
  const biases = tf.tensor1d(bias);
  return () => {
    const result = tf.tidy(() => {
      let [h, c] = tf.split(tf.tensor2d(state, [2, hidden]), 2) as [tfjs.Tensor2D, tfjs.Tensor2D]; // [1, hidden]
      const fromInput = tf.fused.matMul({ a: tf.tensor2d(x, [steps, input]), b: wide, bias: biases }); // [steps, 4 · hidden]
      for (const step of tf.unstack(fromInput)) {
        const gates = tf.add(step, tf.matMul(h, recurrent)); // [1, 4 · hidden]
        const [i, f, g, o] = tf.split(gates, 4, 1) as [tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D, tfjs.Tensor2D];
        c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
        h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      }
      return tf.concat([h, c]);
    });
    const values = result.dataSync<'float32'>();
    result.dispose();
    return values;
  };
}

/** Its default recurrent activation is hardSigmoid, which no other runtime has: sigmoid is set. */
function layersLstm(tf: typeof tfjs, x: Float32Array, steps: number): Contender {
  const { input, hidden } = LSTM;
  const { inputWeights, hiddenWeights, bias, state } = LSTM_VALUES;
  const layer = layers.layers.lstm({ units: hidden, recurrentActivation: 'sigmoid', returnState: true });
  (layer.apply(tf.zeros([1, steps, input])) as tfjs.Tensor[]).forEach((made) => made.dispose()); // this makes the weights
  layer.setWeights([
    tf.tensor2d(transpose(inputWeights, 4 * hidden, input), [input, 4 * hidden]),
    tf.tensor2d(transpose(hiddenWeights, 4 * hidden, hidden), [hidden, 4 * hidden]),
    tf.tensor1d(bias),
  ]);
  return () => {
    const result = tf.tidy(() => {
      const [h0, c0] = tf.split(tf.tensor2d(state, [2, hidden]), 2) as [tfjs.Tensor2D, tfjs.Tensor2D];
      const [, h, c] = layer.apply(tf.tensor3d(x, [1, steps, input]), { initialState: [h0, c0] }) as tfjs.Tensor2D[];
      return tf.concat([h!, c!]);
    });
    const values = result.dataSync<'float32'>();
    result.dispose();
    return values;
  };
}

async function onnxLstm(x: Float32Array, steps: number): Promise<Contender> {
  const { hidden, input } = LSTM;
  const ort = startOnnxruntime();
  const session = await ort.InferenceSession.create('/onnx/lstm.onnx');
  const state = LSTM_VALUES.state;
  return async () => {
    const outputs = await session.run({
      x: new ort.Tensor('float32', x, [steps, 1, input]),
      h: new ort.Tensor('float32', state.subarray(0, hidden), [1, 1, hidden]),
      c: new ort.Tensor('float32', state.subarray(hidden), [1, 1, hidden]),
    });
    const after = new Float32Array(2 * hidden);
    after.set(outputs['hn']!.data as Float32Array);
    after.set(outputs['cn']!.data as Float32Array, hidden);
    return after;
  };
}
