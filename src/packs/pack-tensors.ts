import { RecommenderError } from '../errors.ts';
import { dequantiseRow, dequantiseRows, type QuantisedRows } from '../lib/quantised-rows.ts';
import type { SafeTensor, SafeTensors } from '../lib/safetensors.ts';
import { FourBitRows, GROUP_COLUMNS } from './four-bit-rows.ts';

/**
 * A tensor's float32 values: `F32` as they are, `F16` widened, and quantised rows times the scale of each row.
 * @throws RecommenderError `PACK_INVALID` when it is missing or has another shape.
 */
export function floatTensor(tensors: SafeTensors, name: string, shape: readonly number[]): Float32Array {
  const dtype = tensors.get(name)?.dtype;
  if (dtype === 'I8' || dtype === 'U8') {
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows === undefined || columns === undefined) {
      throw new RecommenderError('PACK_INVALID', `Tensor ${name} is quantised, but no matrix.`);
    }
    return dequantiseRows(quantisedRows(tensors, name, [rows, columns]));
  }
  const tensor = tensorOfShape(tensors, name, shape);
  if (tensor.dtype === 'F32') return tensor.values;
  if (tensor.dtype === 'F16') return Float32Array.from(tensor.values, halfToFloat);
  throw new RecommenderError('PACK_INVALID', `Tensor ${name} has dtype ${tensor.dtype} where numbers for a model are expected.`);
}

/**
 * A matrix as int8 rows with one scale each (`NAME.scale`, `F32` [rows]): stored as `I8`, or as `U8` in 4 bits.
 * In 4 bits the lower half of a byte comes first; a value is (code - 8) · multiplier, where each 32 columns of a row share a
 * multiplier of 1 to 16 (`NAME.multiplier`, 4 bits, less 1). They stay in 4 bits, and `values` unpacks them each time it is read.
 * @throws RecommenderError `PACK_INVALID` when a part is missing or has another shape.
 */
export function quantisedRows(tensors: SafeTensors, name: string, shape: readonly [number, number]): QuantisedRows {
  const [rows, columns] = shape;
  const scales = tensorOfShape(tensors, `${name}.scale`, [rows]);
  const tensor = tensors.get(name)?.dtype === 'U8' ? fourBitCodes(tensors, name, shape) : tensorOfShape(tensors, name, shape);
  if (scales.dtype !== 'F32') throw new RecommenderError('PACK_INVALID', `Tensor ${name}.scale must be F32.`);
  if (tensor.dtype === 'I8') return { values: tensor.values, scales: scales.values, columns };
  if (tensor.dtype === 'U8') return new FourBitRows({ codes: tensor.values, multipliers: multipliers(tensors, name, shape), scales: scales.values, columns });
  throw new RecommenderError('PACK_INVALID', `Tensor ${name} must be rows of I8, or of U8 in 4 bits.`);
}

/** Writes one row of a matrix to `target` from `offset` on. */
export type ReadRow = (row: number, target: Float32Array, offset: number) => void;

/**
 * Rows of a quantised matrix one at a time, for tables of which few rows are read: nothing is unpacked beforehand.
 * @throws RecommenderError `PACK_INVALID` as `quantisedRows()`.
 */
export function rowReader(tensors: SafeTensors, name: string, shape: readonly [number, number]): ReadRow {
  const matrix = quantisedRows(tensors, name, shape);
  if (matrix instanceof FourBitRows) return (row, target, offset) => matrix.dequantiseRow(row, target, offset);
  return (row, target, offset) => dequantiseRow(matrix, row, target, offset);
}

function fourBitCodes(tensors: SafeTensors, name: string, [rows, columns]: readonly [number, number]): SafeTensor {
  if (columns % (2 * GROUP_COLUMNS) !== 0) {
    throw new RecommenderError('PACK_INVALID', `Tensor ${name} has ${columns} columns, which do not divide into pairs of groups of ${GROUP_COLUMNS}.`);
  }
  return tensorOfShape(tensors, name, [rows, columns / 2]);
}

function multipliers(tensors: SafeTensors, name: string, [rows, columns]: readonly [number, number]): Uint8Array {
  const tensor = tensorOfShape(tensors, `${name}.multiplier`, [rows, columns / GROUP_COLUMNS / 2]);
  if (tensor.dtype !== 'U8') throw new RecommenderError('PACK_INVALID', `Tensor ${name}.multiplier must be U8.`);
  return tensor.values;
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
