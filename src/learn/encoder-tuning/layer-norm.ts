/** BERT's own epsilon, as in service. */
const EPSILON = 1e-12;

export interface NormTape {
  /** Rows before γ and β, [rows, size]. */
  readonly standard: Float32Array;
  /** One over each row's standard deviation, [rows]. */
  readonly inverse: Float32Array;
}

export interface NormParameters {
  /** γ, [size] */
  readonly weight: Float32Array;
  /** β, [size] */
  readonly bias: Float32Array;
}

/** out = γ · standardised(x + residual) + β over each of `rows` rows (Ba et al. 2016), keeping what the backward pass needs. */
export function normForward(out: Float32Array, tape: NormTape, x: Float32Array, residual: Float32Array, { weight, bias }: NormParameters, rows: number): void {
  const size = weight.length;
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    let mean = 0;
    for (let k = 0; k < size; k++) mean += x[start + k]! + residual[start + k]!;
    mean /= size;
    let variance = 0;
    for (let k = 0; k < size; k++) variance += (x[start + k]! + residual[start + k]! - mean) ** 2;
    const inverse = 1 / Math.sqrt(variance / size + EPSILON);
    tape.inverse[row] = inverse;
    for (let k = 0; k < size; k++) {
      const standard = (x[start + k]! + residual[start + k]! - mean) * inverse;
      tape.standard[start + k] = standard;
      out[start + k] = weight[k]! * standard + bias[k]!;
    }
  }
}

/** From d(loss)/d(out) to d(loss)/d(x + residual), [rows, size], overwritten; adds to the gradients of γ and β where they are trained. */
export function normBackward(gradientSum: Float32Array, gradientOut: Float32Array, tape: NormTape, { weight }: NormParameters, gradients: NormParameters | null, rows: number): void {
  const size = weight.length;
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    let mean = 0;
    let slope = 0;
    for (let k = 0; k < size; k++) {
      const gradient = gradientOut[start + k]! * weight[k]!;
      mean += gradient / size;
      slope += (gradient * tape.standard[start + k]!) / size;
    }
    for (let k = 0; k < size; k++) {
      const out = gradientOut[start + k]!;
      const standard = tape.standard[start + k]!;
      if (gradients) {
        gradients.weight[k]! += out * standard;
        gradients.bias[k]! += out;
      }
      gradientSum[start + k] = tape.inverse[row]! * (out * weight[k]! - mean - standard * slope);
    }
  }
}
