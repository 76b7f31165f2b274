/** Adds a bias to each row: [rows, n] and [n]. */
export function addBias(rowsOfValues: Float32Array, bias: Float32Array, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * bias.length;
    for (let k = 0; k < bias.length; k++) rowsOfValues[start + k]! += bias[k]!;
  }
}

/** Adds the rows up, the gradient of a bias: [n] += Σ [rows, n]. */
export function addColumns(sums: Float32Array, rowsOfValues: Float32Array, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * sums.length;
    for (let k = 0; k < sums.length; k++) sums[k]! += rowsOfValues[start + k]!;
  }
}
