import { RecommenderError } from '../../errors.ts';
import type { Tensor } from '../device.ts';

/** How long a tensor's memory lives: a run's tensors end together, weights when they are freed. */
export interface Lifetime {
  ended: boolean;
}

/**
 * How the values lie in memory: row by row; as float32 panels (assembly/panels.ts); or as int8 rows were packed, which is the
 * kernel's own affair. Only weights are packed.
 */
export type Layout = 'rows' | 'panels' | 'quantised';

/** A tensor in linear memory. */
export class WasmTensor implements Tensor {
  readonly shape: readonly number[];
  readonly lifetime: Lifetime;
  readonly isWeight: boolean;
  /** Byte address of its values. */
  address: number;
  layout: Layout;

  constructor(shape: readonly number[], address: number, { lifetime, isWeight, layout = 'rows' }: { lifetime: Lifetime; isWeight: boolean; layout?: Layout }) {
    this.shape = [...shape];
    this.address = address;
    this.lifetime = lifetime;
    this.isWeight = isWeight;
    this.layout = layout;
  }

  static of(tensor: Tensor): WasmTensor {
    if (!(tensor instanceof WasmTensor)) throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
    if (tensor.lifetime.ended) throw new RecommenderError('DEVICE_FAILED', 'The tensor was freed, or its run has ended.');
    return tensor;
  }
}
