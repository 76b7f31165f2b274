import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import type { GpuMemory, StagingBuffer } from './gpu-memory.ts';
import type { GpuTensor } from './gpu-tensor.ts';

/**
 * Submits what is pending and reads all tensors through one staging buffer: one mapAsync, where the backend's own read()
 * would map once per tensor. The copies are queued before this returns, so that the tensors may be released meanwhile.
 */
export function readBack(memory: GpuMemory, tensors: readonly GpuTensor[]): Promise<Float32Array[]> {
  const { backend } = memory;
  flush(backend);
  const sizes = tensors.map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return Promise.resolve(tensors.map(() => new Float32Array(0)));

  const staging = memory.staging.acquire(total);
  const encoder = backend.device.createCommandEncoder();
  let offset = 0;
  for (const tensor of tensors) {
    if (tensor.size > 0) encoder.copyBufferToBuffer(tensor.buffer, 0, staging.buffer, 4 * offset, 4 * tensor.size);
    offset += tensor.size;
  }
  backend.queue.submit([encoder.finish()]);
  return readMapped(memory, staging, sizes);
}

/** Submits the dispatches that the backend holds back to batch them. */
export function flush(backend: WebGPUBackend): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}

async function readMapped({ staging: pool }: GpuMemory, staging: StagingBuffer, sizes: readonly number[]): Promise<Float32Array[]> {
  try {
    await staging.buffer.mapAsync(GPUMapMode.READ);
  } catch (error) {
    pool.discard(staging);
    throw error;
  }
  const mapped = staging.buffer.getMappedRange();
  let offset = 0;
  const values = sizes.map((size) => {
    offset += size;
    return new Float32Array(mapped, 4 * (offset - size), size).slice();
  });
  staging.buffer.unmap();
  pool.release(staging);
  return values;
}
