import { RecommenderError } from '../errors.ts';
import type { Tensor } from './device.ts';

/** Values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/**
 * The dimensions of an operand, checked against those that the other operands fix (`undefined` leaves one open).
 * @throws RecommenderError `DEVICE_FAILED` naming the operand and both shapes.
 */
export function dimensions(tensor: Tensor, rank: 1, name: string, fixed?: readonly (number | undefined)[]): readonly [number];
export function dimensions(tensor: Tensor, rank: 2, name: string, fixed?: readonly (number | undefined)[]): readonly [number, number];
export function dimensions(tensor: Tensor, rank: 3, name: string, fixed?: readonly (number | undefined)[]): readonly [number, number, number];
export function dimensions(tensor: Tensor, rank: number, name: string, fixed: readonly (number | undefined)[] = []): readonly number[] {
  const { shape } = tensor;
  let fits = shape.length === rank;
  for (let axis = 0; fits && axis < rank; axis++) fits = fixed[axis] === undefined || fixed[axis] === shape[axis];
  if (fits) return shape;
  const wanted = Array.from({ length: rank }, (_, axis) => fixed[axis] ?? 'any').join(', ');
  throw new RecommenderError('DEVICE_FAILED', `${name} is [${shape.join(', ')}] instead of [${wanted}].`);
}

/** @throws RecommenderError `DEVICE_FAILED` unless the values fill the shape exactly. */
export function checkFilled(values: Float32Array | Int32Array, shape: readonly number[]): void {
  if (values.length === sizeOf(shape)) return;
  throw new RecommenderError('DEVICE_FAILED', `${values.length} values do not fill a tensor of [${shape.join(', ')}].`);
}

/** @throws RecommenderError `DEVICE_FAILED` unless the texts' lengths sum to the rows. */
export function checkLengths(lengths: readonly number[], rows: number): void {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total === rows && lengths.every((length) => Number.isInteger(length) && length >= 0)) return;
  throw new RecommenderError('DEVICE_FAILED', `lengths sum to ${total} instead of ${rows} rows.`);
}

/** Sizes of multi-head attention over q, k and v side by side. @throws RecommenderError `DEVICE_FAILED` where heads do not divide them. */
export function attentionSizes(width: number, heads: number): { size: number; headSize: number } {
  if (width % (3 * heads) === 0) return { size: width / 3, headSize: width / 3 / heads };
  throw new RecommenderError('DEVICE_FAILED', `qkv of ${width} columns does not divide into 3 x ${heads} heads.`);
}
