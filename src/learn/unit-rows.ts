const SMALLEST = 1e-12; // a row of zeros stays one

/** Scales each row [columns] to `length` in place; `norms` [rows] keeps what it was. */
export function scaleRows(values: Float32Array, norms: Float32Array, rows: number, columns: number, length: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let squares = 0;
    for (let k = start; k < start + columns; k++) squares += values[k]! * values[k]!;
    norms[row] = Math.sqrt(squares);
    const factor = norms[row]! > SMALLEST ? length / norms[row]! : 0;
    for (let k = start; k < start + columns; k++) values[k]! *= factor;
  }
}

/** Turns d(loss)/d(scaled row) into d(loss)/d(row as it was), in place: length / |row| · (g - n (n · g)) with n the row's direction. */
export function unscaleGradients(gradients: Float32Array, scaled: Float32Array, norms: Float32Array, rows: number, columns: number, length: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const factor = norms[row]! > SMALLEST ? length / norms[row]! : 0;
    let along = 0;
    for (let k = start; k < start + columns; k++) along += gradients[k]! * scaled[k]!;
    along /= length * length;
    for (let k = start; k < start + columns; k++) gradients[k] = factor * (gradients[k]! - along * scaled[k]!);
  }
}
