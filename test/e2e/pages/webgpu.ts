import { gpuBytes, gpuDevices, takeCounts, type GpuCounts } from './gpu-counts.ts';
import type { Device, Primitives, Tensor } from '../../../src/compute/device.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { checkDevice, type Verdict } from '../../../src/compute/self-test.ts';
import { createWebgpuDevice, type Precision } from '../../../src/compute/webgpu/device.ts';
import { loadWebgpuDevice } from '../../../src/compute/webgpu/load.ts';
import { Bert, type BertDims } from '../../../src/encoder/bert.ts';
import { createDistilledEncoder, encoderGoldenCase } from '../../../src/encoder/distilled-encoder.ts';
import { bertTensors } from '../../../src/encoder/encoder-files.ts';
import { RecommenderError } from '../../../src/errors.ts';
import { DemandModel } from '../../../src/forecast/demand.ts';
import { createRandom } from '../../../src/lib/random.ts';
import type { SafeTensors } from '../../../src/lib/safetensors.ts';
import { fetchBytes } from '../../../src/packs/fetch-bytes.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { floatTensor } from '../../../src/packs/pack-tensors.ts';
import { goldenCases, parseRecommenderPack } from '../../../src/rank/recommender-pack.ts';
import { denseProgram, int8Program, lstmProgram, SERVING_PROGRAMS } from '../../helpers/device-programs.ts';
import { createTinyEncoderPack } from '../../helpers/tiny-encoder-pack.ts';

const encoderPack = loadPack('/models/encoder-en/pack.json', fetchBytes);
const recommenderPack = loadPack('/models/online-retail/pack.json', fetchBytes).then(parseRecommenderPack);
for (const loading of [encoderPack, recommenderPack]) loading.catch(() => undefined); // reported where it is used

const createDevice = (name: 'webgpu' | 'reference'): Promise<Device> =>
  name === 'webgpu' ? loadWebgpuDevice() : Promise.resolve(createReferenceDevice());

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'none';
  } catch (error) {
    return error instanceof RecommenderError ? error.code : String(error);
  }
}

/** Tensors of a pack, int8 rows with their scales multiplied in. */
function floatsOf(tensors: SafeTensors): Map<string, { shape: readonly number[]; values: Float32Array }> {
  const names = [...tensors.keys()].filter((name) => !name.endsWith('.scale'));
  return new Map(names.map((name) => {
    const { shape } = tensors.get(name)!;
    return [name, { shape, values: floatTensor(tensors, name, shape) }];
  }));
}

/**
 * An adapter that offers shader-f16 on a GPU that has none: our float16 programs with f16 read as f32. It shows that they are well formed
 * and compute the right thing, not how float16 rounds.
 */
async function imitateHalf(): Promise<{ adapter: GPUAdapter; modules: string[] }> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const modules: string[] = [];
  const requestDevice = async ({ requiredFeatures = [], ...rest }: GPUDeviceDescriptor = {}): Promise<GPUDevice> => {
    const device = await adapter.requestDevice({ ...rest, requiredFeatures: [...requiredFeatures].filter((feature) => feature !== 'shader-f16') });
    const createShaderModule = device.createShaderModule.bind(device);
    device.createShaderModule = ({ code, ...others }) => {
      modules.push(code);
      return createShaderModule({ ...others, code: code.replace('enable f16;', '').replaceAll('f16', 'f32') });
    };
    return device;
  };
  return { adapter: new Proxy(adapter, { get: (target, key) => (key === 'requestDevice' ? requestDevice : (Reflect.get(target, key) as unknown)) }), modules };
}

const webgpuPage = {
  /** Titles through the encoder that ships: [titles · 384], and what one batch of all of them took after a first one. */
  async encode(name: 'webgpu' | 'reference', titles: readonly string[]): Promise<{ vectors: number[]; layers: number }> {
    const pack = await encoderPack;
    const device = await createDevice(name);
    const vectors = await createDistilledEncoder(pack, device).encode(titles);
    device.dispose();
    return { vectors: [...vectors], layers: pack.manifest.dims['layers']! };
  },

  /** The verdict of the pack's golden vectors, how many pipelines blocked for them, and what one batch took the GPU after them. */
  async encodeGolden(titles: readonly string[]): Promise<{ verdict: Verdict; blockingPipelines: number; counts: GpuCounts }> {
    const device = await loadWebgpuDevice();
    const pack = await encoderPack;
    takeCounts();
    const verdict = await checkDevice(device, [encoderGoldenCase(pack)], { timeoutMs: 60_000 });
    const { blockingPipelines } = takeCounts();
    await createDistilledEncoder(pack, device).encode(titles);
    const counts = takeCounts();
    device.dispose();
    return { verdict, blockingPipelines, counts };
  },

  /** The golden inputs of the interest LSTM and the head, then the next weeks of three series by the demand LSTM. */
  async recommend(name: 'webgpu' | 'reference'): Promise<{ results: number[][]; kernels: string[] }> {
    const pack = await recommenderPack;
    const device = await createDevice(name);
    takeCounts();
    const results: number[][] = [];
    for (const golden of goldenCases(pack)) results.push([...(await golden.run(device))]);
    const series = [3, 0, 40].map((level) => ({ values: Array.from({ length: 30 }, (_, week) => (week % 5 === 4 ? null : level + (week % 3))) }));
    const forecasts = await DemandModel.load(floatsOf(pack.demand!), device).forecast(series, { horizon: 2 });
    results.push(forecasts.flatMap(({ mean, median, low, high }) => [...mean, ...median, ...low, ...high]));
    device.dispose();
    return { results, kernels: Object.keys(takeCounts().kernels) };
  },

  /** Pipelines compiled for a short list, in idle time after it, and for a long one. */
  async warmUp(): Promise<Record<'first' | 'idle' | 'long', GpuCounts>> {
    const device = await loadWebgpuDevice();
    takeCounts();
    await denseProgram(2, [24, 32, 1], 'relu')(device);
    const first = takeCounts();
    await device.warmUp!();
    const idle = takeCounts();
    await denseProgram(200, [24, 32, 1], 'relu')(device);
    device.dispose();
    return { first, idle, long: takeCounts() };
  },

  /** Bytes on the GPU after the largest requests of each kind, and after many more of varying size, several at a time. */
  async soak({ requests, encodes }: { requests: number; encodes: number }): Promise<{ warm: number; after: number; counts: GpuCounts }> {
    const LONGEST = 100; // candidates, and texts
    const STEPS = 10;
    const TOGETHER = 4;
    const random = createRandom(1);
    const device = await loadWebgpuDevice();
    const tiny = createTinyEncoderPack();
    const bert = new Bert(device, bertTensors(tiny), tiny.manifest.dims as unknown as BertDims);
    const layers = [device.upload(new Float32Array(16 * 24).fill(0.1), [16, 24]), device.upload(new Float32Array(16).fill(0.1), [1, 16])];
    const lstm = {
      inputWeights: device.upload(new Float32Array(32 * 8).fill(0.1), [32, 8]),
      hiddenWeights: device.upload(new Float32Array(32 * 8).fill(0.1), [32, 8]),
      bias: device.upload(new Float32Array(32), [32]),
    };
    const score = (rows: number) => (ops: Primitives): Tensor[] => {
      const hidden = ops.linear(ops.input(new Float32Array(rows * 24), [rows, 24]), layers[0]!, null, 'relu'); // [rows, 16]
      return [ops.linear(hidden, layers[1]!, null)]; // [rows, 1]
    };
    const advance = (steps: number) => (ops: Primitives): Tensor[] =>
      [ops.lstm(ops.input(new Float32Array(steps * 8), [steps, 1, 8]), lstm, ops.input(new Float32Array(16), [2, 1, 8]))];
    const texts = (count: number): number[][] => Array.from({ length: count }, () => Array.from({ length: 2 + random.integer(9) }, () => random.integer(16)));
    const longest = Array.from({ length: LONGEST }, () => new Array<number>(10).fill(5));

    const ask = (rows: number, steps: number): Promise<unknown> => Promise.all(
      Array.from({ length: TOGETHER }, (_, at) => device.run(at % 2 === 0 ? score(rows) : advance(steps))),
    );
    await bert.encode(longest);
    await ask(LONGEST, STEPS);
    await device.warmUp!();
    await bert.encode(longest);
    await ask(LONGEST, STEPS);
    const warm = gpuBytes();
    takeCounts();
    for (let request = 0; request < requests; request += TOGETHER) {
      await ask(1 + random.integer(LONGEST), 1 + random.integer(STEPS));
      if (request % Math.floor(requests / encodes) < TOGETHER) await bert.encode(texts(1 + random.integer(LONGEST)));
    }
    const after = gpuBytes();
    const counts = takeCounts();
    device.dispose();
    return { warm, after, counts };
  },

  /** True once `lose()` waits for the GPU to go away. */
  isRunning: false,

  /** Runs until the GPU goes away: the code of the run under way, of one afterwards, of `lost`, and whether a new device works. */
  async lose(how: 'destroyed' | 'disposed' | 'crashed'): Promise<Record<'under' | 'afterwards' | 'lost', string> & { isSame: boolean }> {
    const program = SERVING_PROGRAMS['head 500x24, 32 relu, 16 relu, 1']!;
    const device = await loadWebgpuDevice();
    const expected = await program(device);
    const until = (async () => {
      for (;;) await device.run((ops) => [ops.input(new Float32Array(100_000), [100_000])]);
    })();
    const under = codeOf(until);
    webgpuPage.isRunning = true;
    if (how === 'disposed') device.dispose();
    if (how === 'destroyed') gpuDevices.at(-1)!.destroy();
    const codes = { under: await under, afterwards: await codeOf(program(device)) };
    const lost = how === 'disposed' ? 'never' : (await device.lost!).code;
    const next = await loadWebgpuDevice();
    const answer = await program(next);
    next.dispose();
    return { ...codes, lost, isSame: JSON.stringify(answer) === JSON.stringify(expected) };
  },

  /** The code of a device where the browser has no adapter any more, and whether one can be made when it is back. */
  async loseAdapter(): Promise<{ gone: string; back: string }> {
    const { gpu } = navigator;
    gpu.requestAdapter = () => Promise.resolve(null);
    const gone = await codeOf(loadWebgpuDevice());
    Reflect.deleteProperty(gpu, 'requestAdapter');
    return { gone, back: await codeOf(loadWebgpuDevice().then((device) => device.dispose())) };
  },

  /** Code of a float16 device on this adapter. */
  loadHalf(): Promise<string> {
    return codeOf(loadWebgpuDevice({ precision: 'f16' }));
  },

  /** A dense and an int8 layer on each precision, with the modules that the device compiled. */
  async runHalf(precision: Precision): Promise<{ results: number[][]; kernel: string; half: number }> {
    const { adapter, modules } = await imitateHalf();
    const device = await createWebgpuDevice(adapter, { precision });
    const results: number[][] = [];
    for (const program of [denseProgram(20, [38, 32, 1], 'relu'), int8Program(9, 384, 64), lstmProgram({ steps: 2, batch: 1, input: 8, hidden: 8 })]) {
      for (const values of await program(device)) results.push([...values]);
    }
    device.dispose();
    return { results, kernel: device.kernel, half: modules.filter((code) => code.startsWith('enable f16;') && code.includes('vec4<f16>')).length };
  },
};

declare global {
  interface Window {
    webgpuPage: typeof webgpuPage;
  }
}

window.webgpuPage = webgpuPage;
