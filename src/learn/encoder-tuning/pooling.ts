/** Shorter means than this are left as they are, as in service. */
const LEAST_NORM = 1e-12;

/** Mean of each text's tokens [tokens, hidden], brought to unit length: vectors [texts, hidden]; `norms` [texts] keeps the means' lengths. */
export function poolForward(vectors: Float32Array, norms: Float32Array, x: Float32Array, lengths: readonly number[], hidden: number): void {
  let token = 0;
  for (const [text, length] of lengths.entries()) {
    const out = vectors.subarray(text * hidden, (text + 1) * hidden).fill(0);
    for (const end = token + length; token < end; token++) for (let k = 0; k < hidden; k++) out[k]! += x[token * hidden + k]! / length;
    let square = 0;
    for (const value of out) square += value * value;
    const norm = Math.max(Math.sqrt(square), LEAST_NORM);
    norms[text] = norm;
    for (let k = 0; k < hidden; k++) out[k]! /= norm;
  }
}

/** From d(loss)/d(vectors) to d(loss)/d(x), overwritten: the part along a vector changes its length only, which is taken out. */
export function poolBackward(gradientX: Float32Array, gradientVectors: Float32Array, vectors: Float32Array, norms: Float32Array, lengths: readonly number[], hidden: number): void {
  let token = 0;
  for (const [text, length] of lengths.entries()) {
    const start = text * hidden;
    let along = 0;
    for (let k = 0; k < hidden; k++) along += gradientVectors[start + k]! * vectors[start + k]!;
    for (const end = token + length; token < end; token++) {
      for (let k = 0; k < hidden; k++) gradientX[token * hidden + k] = (gradientVectors[start + k]! - along * vectors[start + k]!) / (norms[text]! * length);
    }
  }
}
