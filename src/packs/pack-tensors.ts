import { RecommenderError } from '../errors.ts';
import { dequantiseRows, type QuantisedRows } from '../lib/quantised-rows.ts';
import type { SafeTensor, SafeTensors } from '../lib/safetensors.ts';

/**
 * A tensor's float32 values: `F32` as they are, `F16` widened, and `I8` rows times the scale of each row
 * (`NAME.scale`, `F32` [rows]).
 * @throws RecommenderError `PACK_INVALID` when it is missing or has another shape.
 */
export function floatTensor(tensors: SafeTensors, name: string, shape: readonly number[]): Float32Array {
  const tensor = tensorOfShape(tensors, name, shape);
  switch (tensor.dtype) {
    case 'F32':
      return tensor.values;
    case 'F16':
      return Float32Array.from(tensor.values, halfToFloat);
    case 'I8':
      return dequantiseRows(quantisedRows(tensors, name, shape));
    default:
      throw new RecommenderError('PACK_INVALID', `Tensor ${name} has dtype ${tensor.dtype} where numbers for a model are expected.`);
  }
}

/**
 * An int8 matrix and the scales of its rows, for tables of which only some rows are wanted.
 * @throws RecommenderError `PACK_INVALID` when either is missing or has another shape.
 */
export function quantisedRows(tensors: SafeTensors, name: string, shape: readonly number[]): QuantisedRows {
  const [rows = 0, columns = 1] = shape;
  const tensor = tensorOfShape(tensors, name, shape);
  const scales = tensorOfShape(tensors, `${name}.scale`, [rows]);
  if (shape.length !== 2 || tensor.dtype !== 'I8' || scales.dtype !== 'F32') {
    throw new RecommenderError('PACK_INVALID', `Tensor ${name} must be I8 rows with F32 scales.`);
  }
  return { values: tensor.values, scales: scales.values, columns };
}

function tensorOfShape(tensors: SafeTensors, name: string, shape: readonly number[]): SafeTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new RecommenderError('PACK_INVALID', `Tensor ${name} is missing.`);
  if (tensor.shape.length !== shape.length || shape.some((size, axis) => size !== tensor.shape[axis])) {
    throw new RecommenderError('PACK_INVALID', `Tensor ${name} has the shape [${tensor.shape.join(', ')}] instead of [${shape.join(', ')}].`);
  }
  return tensor;
}

/** IEEE 754 binary16 to a number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
