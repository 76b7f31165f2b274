import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu.js';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { RecommenderError } from '../../errors.ts';
import type { Tensor } from '../device.ts';
import { checkFilled, sizeOf } from '../dimensions.ts';

const SMALLEST = 64; // Values; below it all tensors share one size of buffer.

/**
 * Buffer length for `size` values. The backend's pool reuses buffers of equal length and frees none, so lengths are
 * rounded up to four per octave: candidate lists of every length then share some dozens of buffers (at most 25 % spare).
 */
export function capacityFor(size: number): number {
  if (size <= SMALLEST) return SMALLEST;
  const step = 2 ** (Math.floor(Math.log2(size - 1)) - 2);
  return Math.ceil(size / step) * step;
}

/** A tensor in GPU memory; `info` names its buffer to the backend and knows nothing of its shape. */
export class GpuTensor implements Tensor {
  readonly shape: readonly number[];
  readonly size: number;
  readonly info: TensorInfo;

  private constructor(shape: readonly number[], info: TensorInfo) {
    this.shape = shape;
    this.size = sizeOf(shape);
    this.info = info;
  }

  /**
   * A tensor with these values, copied at once so that the caller may reuse its array. Through the queue: the backend's
   * own upload makes and destroys a staging buffer for each tensor whose buffer comes from the pool.
   */
  static upload(backend: WebGPUBackend, values: Float32Array, shape: readonly number[]): GpuTensor {
    checkFilled(values, shape);
    const tensor = GpuTensor.allocate(backend, shape);
    backend.uploadToGPU(tensor.info.dataId); // no values: takes a buffer only
    backend.queue.writeBuffer(tensor.buffer(backend), 0, values);
    return tensor;
  }

  /** A tensor for a program to write into. */
  static allocate(backend: WebGPUBackend, shape: readonly number[]): GpuTensor {
    return new GpuTensor(shape, backend.makeTensorInfo([capacityFor(sizeOf(shape))], 'float32'));
  }

  static of(tensor: Tensor): GpuTensor {
    if (tensor instanceof GpuTensor) return tensor;
    throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
  }

  get capacity(): number {
    return capacityFor(this.size);
  }

  buffer(backend: WebGPUBackend): GPUBuffer {
    const { resource } = backend.tensorMap.get(this.info.dataId);
    if (resource instanceof GPUBuffer) return resource;
    throw new RecommenderError('DEVICE_FAILED', 'The tensor was released, or nothing has written to it.');
  }
}
