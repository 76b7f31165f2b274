import type { TensorInfo } from '@tensorflow/tfjs-core';
import { RecommenderError } from '../../errors.ts';
import type { Tensor } from '../device.ts';
import { sizeOf } from '../dimensions.ts';
import type { StorageBuffer } from './gpu-memory.ts';

/** A tensor in GPU memory; a temporary has its buffer only between the calls that write and last read it. */
export class GpuTensor implements Tensor {
  readonly shape: readonly number[];
  readonly size: number;
  storage: StorageBuffer | undefined;
  /** Set where the values are int8 rows, four to a word, to be multiplied with these: [rows]. */
  readonly scales: GpuTensor | undefined;

  constructor(shape: readonly number[], storage?: StorageBuffer, scales?: GpuTensor) {
    this.shape = shape;
    this.size = sizeOf(shape);
    this.storage = storage;
    this.scales = scales;
  }

  /** @throws RecommenderError `DEVICE_FAILED` for another device's tensor. */
  static of(tensor: Tensor): GpuTensor {
    if (tensor instanceof GpuTensor) return tensor;
    throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
  }

  /** A tensor of float32 values. @throws RecommenderError `DEVICE_FAILED` for another device's tensor, and for int8 rows. */
  static floatsOf(tensor: Tensor): GpuTensor {
    const floats = GpuTensor.of(tensor);
    if (!floats.scales) return floats;
    throw new RecommenderError('DEVICE_FAILED', 'int8 rows can only be the weight of linear().');
  }

  get buffer(): GPUBuffer {
    return this.#stored().buffer;
  }

  get info(): TensorInfo {
    return this.#stored().info;
  }

  #stored(): StorageBuffer {
    if (this.storage) return this.storage;
    throw new RecommenderError('DEVICE_FAILED', 'The tensor was released, or nothing has written to it.');
  }
}
