import '@tensorflow/tfjs-core/dist/base_side_effects.js';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import { RecommenderError } from '../../errors.ts';
import { dequantiseRows, type QuantisedRows } from '../../lib/quantised-rows.ts';
import type { Device, Primitives, Tensor, Workload } from '../device.ts';
import { GpuTensor } from './memory.ts';
import { createPrimitives } from './primitives.ts';
import { flush, readBack } from './read-back.ts';

const SUPPORTS: ReadonlySet<Workload> = new Set(['sequence', 'score']);

/**
 * WebGPU through tfjs's backend, which carries the device, buffers and pipelines; the programs are our own WGSL.
 * Serves `sequence` and `score`. Made on an instance of its own, so that a page's own tfjs keeps its backend and state.
 * @throws RecommenderError `DEVICE_FAILED` when the adapter gives no device.
 */
export async function createWebgpuDevice(adapter: GPUAdapter): Promise<Device> {
  const device = await requestDevice(adapter);
  return new WebgpuDevice(new WebGPUBackend(device, adapter.info), adapter.info.isFallbackAdapter);
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  // Big tables (item embeddings, word embeddings) need more than the guaranteed 128 MB only on the largest shops.
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  try {
    return await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  } catch (error) {
    throw RecommenderError.from(error, 'DEVICE_FAILED');
  }
}

class WebgpuDevice implements Device {
  readonly name = 'webgpu';
  readonly kernel = 'wgsl-f32';
  readonly supports = SUPPORTS;
  readonly emulated: boolean;
  readonly #backend: WebGPUBackend;
  /** Rejects when the device is lost; a pending mapAsync may otherwise never settle. */
  readonly #lost: Promise<never>;
  #failure: RecommenderError | undefined;

  constructor(backend: WebGPUBackend, emulated: boolean) {
    this.#backend = backend;
    this.emulated = emulated;
    this.#lost = backend.device.lost.then(({ message, reason }) => {
      this.#failure ??= new RecommenderError('DEVICE_FAILED', `The GPU was lost (${reason}): ${message}`);
      throw this.#failure;
    });
    // Loss while nothing runs is reported by the next run().
    this.#lost.catch(() => undefined);
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    this.#throwIfLost();
    return GpuTensor.upload(this.#backend, values, shape);
  }

  uploadRows(rows: QuantisedRows): Tensor {
    return this.upload(dequantiseRows(rows), [rows.scales.length, rows.columns]);
  }

  free(tensor: Tensor): void {
    this.#backend.disposeData(GpuTensor.of(tensor).info.dataId);
  }

  async run(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]> {
    this.#throwIfLost();
    const { device } = this.#backend;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    let answer: Promise<Float32Array[]>;
    try {
      answer = this.#record(program);
    } catch (error) {
      answer = Promise.reject(RecommenderError.from(error, 'DEVICE_FAILED'));
    }
    // The scopes are popped before anything is awaited, so that those of concurrent runs do not interleave.
    const problems = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    try {
      const [values, [memory, validation]] = await Promise.race([Promise.all([answer, problems]), this.#lost]);
      const problem = memory ?? validation;
      if (problem) throw new RecommenderError('DEVICE_FAILED', problem.message);
      return values;
    } catch (error) {
      throw RecommenderError.from(this.#failure ?? error, 'DEVICE_FAILED');
    }
  }

  dispose(): void {
    this.#failure ??= new RecommenderError('DEVICE_FAILED', 'The device was disposed.');
    this.#backend.dispose();
    this.#backend.device.destroy();
  }

  /** Enqueues a program and its readback, and releases everything made inside. */
  #record(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]> {
    const temporaries: GpuTensor[] = [];
    try {
      const results = program(createPrimitives(this.#backend, temporaries));
      return readBack(this.#backend, results.map((tensor) => GpuTensor.of(tensor)));
    } catch (error) {
      flush(this.#backend);
      throw error;
    } finally {
      for (const { info } of temporaries) this.#backend.disposeData(info.dataId);
    }
  }

  #throwIfLost(): void {
    if (this.#failure) throw this.#failure;
  }
}
