import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import { capacityFor, type GpuTensor } from './memory.ts';

/**
 * Submits what is pending and reads all tensors through one staging buffer: one mapAsync, where the backend's own read()
 * would map once per tensor. The copies are queued before this returns, so that the tensors may be released meanwhile.
 */
export function readBack(backend: WebGPUBackend, tensors: readonly GpuTensor[]): Promise<Float32Array[]> {
  flush(backend);
  const total = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
  if (total === 0) return Promise.resolve(tensors.map(() => new Float32Array(0)));

  const staging = backend.bufferManager.acquireBuffer(4 * capacityFor(total), GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const encoder = backend.device.createCommandEncoder();
  let offset = 0;
  for (const tensor of tensors) {
    if (tensor.size > 0) encoder.copyBufferToBuffer(tensor.buffer(backend), 0, staging, 4 * offset, 4 * tensor.size);
    offset += tensor.size;
  }
  backend.queue.submit([encoder.finish()]);
  return readMapped(backend, staging, tensors.map(({ size }) => size));
}

/** Submits the dispatches that the backend holds back to batch them. */
export function flush(backend: WebGPUBackend): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}

async function readMapped(backend: WebGPUBackend, staging: GPUBuffer, sizes: readonly number[]): Promise<Float32Array[]> {
  try {
    await staging.mapAsync(GPUMapMode.READ);
    const mapped = staging.getMappedRange();
    let offset = 0;
    return sizes.map((size) => {
      const values = new Float32Array(mapped, 4 * offset, size).slice();
      offset += size;
      return values;
    });
  } finally {
    staging.unmap();
    backend.bufferManager.releaseBuffer(staging);
  }
}
