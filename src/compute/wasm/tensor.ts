import { RecommenderError } from '../../errors.ts';
import type { Tensor } from '../device.ts';

/** How long a tensor's memory lives: a run's tensors end together, weights when they are freed. */
export interface Lifetime {
  ended: boolean;
}

/** A tensor in linear memory. */
export class WasmTensor implements Tensor {
  readonly shape: readonly number[];
  readonly lifetime: Lifetime;
  readonly isWeight: boolean;
  /** Byte address of its values. */
  address: number;
  /** Whether the values are interleaved as panels (see assembly/panels.ts); only weights are. */
  packed = false;

  constructor(shape: readonly number[], address: number, { lifetime, isWeight }: { lifetime: Lifetime; isWeight: boolean }) {
    this.shape = [...shape];
    this.address = address;
    this.lifetime = lifetime;
    this.isWeight = isWeight;
  }

  static of(tensor: Tensor): WasmTensor {
    if (!(tensor instanceof WasmTensor)) throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
    if (tensor.lifetime.ended) throw new RecommenderError('DEVICE_FAILED', 'The tensor was freed, or its run has ended.');
    return tensor;
  }
}
