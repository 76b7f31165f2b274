/** out = weights [rows, columns] · x + bias. */
export function linearRow(weights: Float32Array, x: Float32Array, bias: Float32Array | null, out = new Float32Array(weights.length / x.length)): Float32Array {
  const columns = x.length;
  for (let row = 0, at = 0; row < out.length; row++) {
    let sum = bias ? bias[row]! : 0;
    for (let k = 0; k < columns; k++) sum += weights[at++]! * x[k]!;
    out[row] = sum;
  }
  return out;
}
