import type { Activation } from '../device.ts';

/** How many values one load brings: vec4 where every row starts on a 16-byte boundary. */
export type Width = 1 | 4;

/** vec4 loads are possible where each of these row lengths is a multiple of four. */
export function loadWidth(...rowLengths: readonly number[]): Width {
  return rowLengths.every((length) => length % 4 === 0) ? 4 : 1;
}

/** The product-sum of two loaded values, as WGSL has `dot` for vectors only. */
export function product(width: Width, a: string, b: string): string {
  return width === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`;
}

/**
 * WGSL allows the built-in tanh an absolute error of 1e-5, which adds up over an LSTM's steps; through exp() it stays
 * near one ulp. Arguments are clamped where the result no longer changes, since overflow to infinity is not guaranteed.
 */
export const SIGMOID_AND_TANH = `
fn logistic(x : f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -30.0, 30.0))); }
fn hyperbolicTangent(x : f32) -> f32 { return 1.0 - 2.0 / (exp(2.0 * clamp(x, -15.0, 15.0)) + 1.0); }
`;

/** erf by Abramowitz & Stegun (1964), formula 7.1.26: absolute error at most 1.5e-7. */
const GELU = `
fn errorFunction(x : f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return sign(x) * (1.0 - series * exp(-x * x));
}
`;

const ACTIVATE: Readonly<Record<Activation, string>> = {
  none: 'fn activate(x : f32) -> f32 { return x; }',
  relu: 'fn activate(x : f32) -> f32 { return max(x, 0.0); }',
  tanh: `${SIGMOID_AND_TANH} fn activate(x : f32) -> f32 { return hyperbolicTangent(x); }`,
  gelu: `${GELU} fn activate(x : f32) -> f32 { return 0.5 * x * (1.0 + errorFunction(x * 0.7071067811865476)); }`,
};

/** Lanes of a workgroup that works on one row: six values each of the encoder's 384. */
export const ROW_LANES = 64;

/**
 * What a workgroup of ROW_LANES on a row of `size` values begins with: SIZE, LANES, Values (a lane's share of the row) and
 * `sumOverLanes(part, lane)`, in which each lane adds up all parts itself: two barriers where a tree of halves takes one per level.
 */
export function rowSource(size: number): string {
  return `
const SIZE = ${size};
const LANES = ${ROW_LANES};
alias Values = array<f32, ${Math.ceil(size / ROW_LANES)}>;
var<workgroup> parts : array<f32, LANES>;
fn sumOverLanes(part : f32, lane : i32) -> f32 {
  workgroupBarrier();
  parts[lane] = part;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0; i < LANES; i++) { sum += parts[i]; }
  return sum;
}
`;
}

/** WGSL of `activate(x)`; gelu is the exact form with erf (Hendrycks & Gimpel 2016), as in BERT. */
export function activationSource(activation: Activation): string {
  return ACTIVATE[activation];
}
