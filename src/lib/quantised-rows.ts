/** An int8 matrix with one scale for each row: value = int8 · scale. */
export interface QuantisedRows {
  /** [rows, columns] */
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
export function dequantiseRows(matrix: QuantisedRows): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(matrix.values.length);
  for (let row = 0; row < matrix.scales.length; row++) dequantiseRow(matrix, row, floats, row * matrix.columns);
  return floats;
}
