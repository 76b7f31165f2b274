import '@tensorflow/tfjs-core/dist/base_side_effects.js';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import { RecommenderError } from '../../errors.ts';
import { dequantiseRows, type QuantisedRows } from '../../lib/quantised-rows.ts';
import type { Device, Primitives, Tensor, Workload } from '../device.ts';
import { checkFilled } from '../dimensions.ts';
import { GpuMemory } from './gpu-memory.ts';
import { GpuTensor } from './gpu-tensor.ts';
import type { Kernel } from './kernel.ts';
import { Pipelines } from './pipelines.ts';
import { createPrimitives } from './primitives.ts';
import { Recording } from './recording.ts';

/** What `linear` multiplies matrices of int8 rows in; sums and everything else are float32 always. */
export type Precision = 'f32' | 'f16';

export interface WebgpuOptions {
  /** Default `f32`. `f16` needs an adapter with shader-f16 and is to be trusted only after golden vectors. */
  readonly precision?: Precision;
}

const SUPPORTS: ReadonlySet<Workload> = new Set(['encode', 'sequence', 'score']);

/**
 * WebGPU through tfjs's backend, which carries the device, buffers and dispatches; the programs are our own WGSL.
 * Made on a backend of its own that is never registered: a page's own tfjs keeps its backend and state, and after a
 * loss a new device needs nothing from the old one.
 * @throws RecommenderError `DEVICE_FAILED` when the adapter gives no device, or not the precision.
 */
export async function createWebgpuDevice(adapter: GPUAdapter, { precision = 'f32' }: WebgpuOptions = {}): Promise<Device> {
  const device = await requestDevice(adapter, precision);
  return new WebgpuDevice(new WebGPUBackend(device, adapter.info), precision);
}

async function requestDevice(adapter: GPUAdapter, precision: Precision): Promise<GPUDevice> {
  // Big tables (item embeddings, word embeddings) need more than the guaranteed 128 MB only on the largest shops.
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  try {
    return await adapter.requestDevice({
      requiredFeatures: precision === 'f16' ? ['shader-f16'] : [],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    });
  } catch (error) {
    throw RecommenderError.from(error, 'DEVICE_FAILED');
  }
}

class WebgpuDevice implements Device {
  readonly name = 'webgpu';
  readonly kernel: string;
  readonly supports = SUPPORTS;
  readonly lost: Promise<RecommenderError>;
  readonly #backend: WebGPUBackend;
  readonly #memory: GpuMemory;
  readonly #pipelines: Pipelines;
  readonly #half: boolean;
  /** Kernels that nothing has waited for yet. */
  readonly #expected = new Map<string, Kernel>();
  /** Rejects at the end, be it a loss or dispose(): a pending mapAsync may then never settle. */
  readonly #end: Promise<never>;
  #failure: RecommenderError | undefined;

  constructor(backend: WebGPUBackend, precision: Precision) {
    this.kernel = `wgsl-${precision}`;
    this.#backend = backend;
    this.#memory = new GpuMemory(backend);
    this.#pipelines = new Pipelines(backend);
    this.#half = precision === 'f16';
    const ended = backend.device.lost.then(({ message, reason }) => {
      const isDisposed = this.#failure !== undefined;
      this.#failure ??= new RecommenderError('DEVICE_FAILED', `The GPU was lost (${reason}): ${message}`);
      return { error: this.#failure, isDisposed };
    });
    this.lost = new Promise((resolve) => void ended.then(({ error, isDisposed }) => isDisposed || resolve(error)));
    this.#end = ended.then(({ error }) => Promise.reject(error));
    // A loss while nothing runs is reported by the next run().
    this.#end.catch(() => undefined);
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    this.#throwIfEnded();
    checkFilled(values, shape);
    return this.#store(values, shape);
  }

  /** Kept as int8, a quarter of the memory and of what each product fetches; widened where rows are no whole words. */
  uploadRows(rows: QuantisedRows): Tensor {
    const shape = [rows.scales.length, rows.columns];
    if (rows.columns % 4 !== 0) return this.upload(dequantiseRows(rows), shape);
    this.#throwIfEnded();
    return this.#store(rows.values, shape, this.#store(rows.scales, [rows.scales.length]));
  }

  free(tensor: Tensor): void {
    const { storage, scales } = GpuTensor.of(tensor);
    if (storage) this.#memory.free(storage);
    if (scales) this.free(scales);
  }

  async run(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]> {
    this.#throwIfEnded();
    const recording = new Recording(this.#memory);
    const verdicts: Promise<void>[] = [];
    try {
      this.#judge(verdicts, () => {
        recording.results = program(createPrimitives(recording, { half: this.#half, expect: (kernel) => this.#expected.set(kernel.name, kernel) }));
      });
      const kernels = recording.calls.map(({ kernel }) => kernel);
      if (!this.#pipelines.areReady(kernels)) await this.#orEnd(this.#pipelines.prepare(kernels));
      const answer = this.#judge(verdicts, () => recording.play(this.#pipelines));
      const [values] = await this.#orEnd(Promise.all([answer, ...verdicts]));
      return values;
    } catch (error) {
      recording.release();
      this.#memory.clear();
      throw RecommenderError.from(this.#failure ?? error, 'DEVICE_FAILED');
    }
  }

  async warmUp(): Promise<void> {
    this.#throwIfEnded();
    await this.#orEnd(this.#pipelines.prepare(this.#expected.values()));
  }

  dispose(): void {
    this.#failure ??= new RecommenderError('DEVICE_FAILED', 'The device was disposed.');
    this.#backend.dispose();
    this.#backend.device.destroy();
  }

  #store(values: Float32Array | Int8Array, shape: readonly number[], scales?: GpuTensor): GpuTensor {
    const storage = this.#memory.allocate(values.byteLength / 4);
    this.#memory.write(storage, values);
    return new GpuTensor(shape, storage, scales);
  }

  /** Does something at once, and adds what the GPU has to say of it to the verdicts; those of other runs do not mix in. */
  #judge<T>(verdicts: Promise<void>[], action: () => T): T {
    const { device } = this.#backend;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    try {
      return action();
    } finally {
      const verdict = Promise.all([device.popErrorScope(), device.popErrorScope()]).then(([memory, validation]) => {
        const problem = memory ?? validation;
        if (problem) throw new RecommenderError('DEVICE_FAILED', problem.message);
      });
      verdict.catch(() => undefined); // it is awaited only where the action went well
      verdicts.push(verdict);
    }
  }

  #orEnd<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#end]);
  }

  #throwIfEnded(): void {
    if (this.#failure) throw this.#failure;
  }
}
