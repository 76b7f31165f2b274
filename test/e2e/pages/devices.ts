import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { loadWebgpuDevice } from '../../../src/compute/webgpu/load.ts';
import { RecommenderError } from '../../../src/errors.ts';
import { denseProgram, lstmProgram, seededValues, SERVING_PROGRAMS } from '../../helpers/device-programs.ts';
import { takeCounts, type GpuCounts } from './gpu-counts.ts';

// int8 is close to reference, not equal: unit tests say how close.
const started = { webgpu: loadWebgpuDevice(), wasm: createWasmDevice({ kernel: 'f32-relaxed' }), reference: Promise.resolve(createReferenceDevice()) };
for (const device of Object.values(started)) device.catch(() => undefined); // reported where it is used

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'none';
  } catch (error) {
    return error instanceof RecommenderError ? error.code : String(error);
  }
}

const devicesPage = {
  /** A serving program on one device: its results as plain lists. */
  async run(name: keyof typeof started, program: string): Promise<{ results: number[][]; counts: GpuCounts }> {
    const device = await started[name];
    takeCounts();
    const results = await SERVING_PROGRAMS[program]!(device);
    return { results: results.map((values) => [...values]), counts: takeCounts() };
  },

  /** A serving program on WebGPU in a worker: its results, or the error. */
  async runInWorker(program: string): Promise<number[][] | string> {
    const worker = new Worker(new URL('./devices-worker.ts', import.meta.url), { type: 'module' });
    try {
      return await new Promise((resolve, reject) => {
        worker.addEventListener('message', ({ data }: MessageEvent<number[][] | string>) => resolve(data));
        worker.addEventListener('error', ({ message }) => reject(new Error(message)));
        worker.postMessage(program);
      });
    } finally {
      worker.terminate();
    }
  },

  /** An LSTM over 20 steps in one call, and step by step. */
  async runInSteps(): Promise<{ whole: number[]; stepped: number[] }> {
    const device = await started.webgpu;
    const shape = { steps: 20, batch: 2, input: 24, hidden: 32 };
    const [whole] = await lstmProgram(shape)(device);
    const [stepped] = await lstmProgram(shape, { stepByStep: true })(device);
    return { whole: [...whole!], stepped: [...stepped!] };
  },

  /** Heads over lists of every length, twice; the counts of the second time. */
  async runLengths(longest: number): Promise<GpuCounts> {
    const device = await started.webgpu;
    const runAll = async (): Promise<void> => {
      for (let rows = 1; rows <= longest; rows++) await denseProgram(rows, [24, 32, 1], 'relu')(device);
    };
    await runAll();
    takeCounts();
    await runAll();
    return takeCounts();
  },

  /** Many runs at once; each must get its own answer. */
  async runConcurrently(runs: number): Promise<number[]> {
    const device = await started.webgpu;
    const answers = await Promise.all(
      Array.from({ length: runs }, (_, index) => device.run((ops) => [ops.input(Float32Array.of(index), [1, 1])])),
    );
    return answers.map(([values]) => values![0]!);
  },

  /** Error codes of what must be refused; the device goes on serving afterwards. */
  async refusals(): Promise<Record<string, string>> {
    const device = await started.webgpu;
    const foreign = createReferenceDevice().upload(Float32Array.of(1), [1, 1]);
    const matrix = device.upload(seededValues(4, 1, 1), [2, 2]);
    const vector = device.upload(seededValues(2, 1, 1), [2]);
    const rows = device.uploadRows({ values: new Int8Array(8), scales: new Float32Array(2), columns: 4 });
    const codes = {
      lengths: await codeOf(device.run((ops) => [ops.meanPool(matrix, [1])])),
      rows: await codeOf(device.run((ops) => [ops.linear(rows, rows, null)])),
      shape: await codeOf(device.run((ops) => [ops.linear(matrix, ops.input(new Float32Array(3), [1, 3]), null)])),
      foreign: await codeOf(device.run((ops) => [ops.linear(foreign, foreign, null)])),
      thrown: await codeOf(device.run(() => Promise.reject(new Error('not a list')) as never)),
      afterwards: await codeOf(device.run((ops) => [ops.linear(matrix, matrix, vector)])),
    };
    device.free(matrix);
    device.free(vector);
    device.free(rows);
    return codes;
  },
};

declare global {
  interface Window {
    devicesPage: typeof devicesPage;
  }
}

window.devicesPage = devicesPage;
