/** An int8 matrix with one scale for each row: value = int8 · scale. */
export interface QuantisedRows {
  /** [rows, columns]; to be read once where a matrix is used, since some are unpacked by it. */
  readonly values: Int8Array;
  /** [rows] */
  readonly scales: Float32Array;
  readonly columns: number;
}

/** Writes one row's values to `target` from `offset` on. */
export function dequantiseRow({ values, scales, columns }: QuantisedRows, row: number, target: Float32Array, offset: number): void {
  const scale = scales[row]!;
  const start = row * columns;
  for (let column = 0; column < columns; column++) target[offset + column] = values[start + column]! * scale;
}

/** All values, [rows · columns]. */
export function dequantiseRows({ values, scales, columns }: QuantisedRows): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(values.length);
  for (let row = 0; row < scales.length; row++) dequantiseRow({ values, scales, columns }, row, floats, row * columns);
  return floats;
}

/**
 * Vectors of any length, [rows · columns], as int8 rows of unit length: the scale that belongs to them follows from the int8
 * values, so that rounding changes the direction a little and the length not at all. A row of zeros stays one.
 */
export function quantiseUnitRows(vectors: Float32Array, columns: number): QuantisedRows {
  const values = new Int8Array(vectors.length);
  const scales = new Float32Array(vectors.length / columns);
  for (let row = 0; row < scales.length; row++) {
    const start = row * columns;
    let largest = 0;
    for (let at = start; at < start + columns; at++) largest = Math.max(largest, Math.abs(vectors[at]!));
    let square = 0;
    for (let at = start; at < start + columns; at++) square += (values[at] = Math.round((vectors[at]! * 127) / largest)) ** 2;
    scales[row] = square > 0 ? 1 / Math.sqrt(square) : 0;
  }
  return { values, scales, columns };
}
