import type { Activation } from '../device.ts';

/** Beyond this, erf(x) and ±1 are the same float64. */
const ERF_SATURATED = 6;

/** erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n+1)): all terms have one sign, so none cancels (Abramowitz & Stegun 7.1.6). */
export function erf(x: number): number {
  if (Math.abs(x) > ERF_SATURATED) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The activations of `linear`; gelu is the exact form that BERT uses. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  none: (x) => x,
  relu: (x) => Math.max(x, 0),
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  tanh: Math.tanh,
};
