import { RecommenderError } from '../../errors.ts';
import { checkFilled, sizeOf } from '../dimensions.ts';
import type { Tensor } from '../device.ts';

/** A tensor whose values are an ordinary array. */
export class ReferenceTensor implements Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;

  constructor(shape: readonly number[], values = new Float32Array(sizeOf(shape))) {
    checkFilled(values, shape);
    this.shape = [...shape];
    this.values = values;
  }

  static valuesOf(tensor: Tensor): Float32Array {
    if (tensor instanceof ReferenceTensor) return tensor.values;
    throw new RecommenderError('DEVICE_FAILED', 'The tensor was made on another device.');
  }
}
