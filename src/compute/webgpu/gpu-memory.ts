import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BufferPool } from './buffer-pool.ts';

/** A buffer that kernels read and write; `info` names it to the backend. */
export interface StorageBuffer {
  readonly info: TensorInfo;
  readonly buffer: GPUBuffer;
  /** 32-bit values. */
  readonly capacity: number;
}

/** A buffer that values are read back through. */
export interface StagingBuffer {
  readonly buffer: GPUBuffer;
  readonly capacity: number;
}

/** All GPU memory of a device: weights in buffers of their own size, everything else in pools. */
export class GpuMemory {
  readonly backend: WebGPUBackend;
  readonly temporaries: BufferPool<StorageBuffer>;
  readonly staging: BufferPool<StagingBuffer>;

  constructor(backend: WebGPUBackend) {
    const { bufferManager, tensorMap } = backend;
    this.backend = backend;
    this.temporaries = new BufferPool(
      (capacity) => this.allocate(capacity),
      ({ info, buffer }) => {
        tensorMap.delete(info.dataId);
        bufferManager.releaseBuffer(buffer, false);
      },
    );
    this.staging = new BufferPool(
      (capacity) => ({ buffer: bufferManager.acquireBuffer(4 * capacity, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST), capacity }),
      ({ buffer }) => bufferManager.releaseBuffer(buffer, false),
    );
  }

  /** A buffer for at least `size` values of 32 bits: whole vec4s, as kernels may read them so. */
  allocate(size: number): StorageBuffer {
    const capacity = Math.max(4, 4 * Math.ceil(size / 4));
    const info = this.backend.makeTensorInfo([capacity], 'float32');
    this.backend.uploadToGPU(info.dataId); // no values: takes a buffer only
    return { info, buffer: this.backend.tensorMap.get(info.dataId).resource as GPUBuffer, capacity };
  }

  /** Through the queue: the backend's own upload makes and destroys a staging buffer for each tensor whose buffer is reused. */
  write({ buffer }: StorageBuffer, values: Float32Array | Int32Array | Int8Array): void {
    if (values.byteLength > 0) this.backend.queue.writeBuffer(buffer, 0, values);
  }

  /** Destroys all free temporaries. */
  clear(): void {
    this.temporaries.clear();
    this.staging.clear();
  }

  free({ info }: StorageBuffer): void {
    this.backend.disposeData(info.dataId);
  }
}
