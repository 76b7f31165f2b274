/** erf(x) with an error below 1.5e-7, about float32's own (Abramowitz & Stegun 7.1.26): a title's layer asks for it 20,000 times. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return x < 0 ? tail - 1 : 1 - tail;
}

/** GELU in BERT's exact form, x · Φ(x) (Hendrycks & Gimpel 2016), in place over the first `count` values; its slopes go to `slope`. */
export function geluForward(values: Float32Array, slope: Float32Array, count: number): void {
  for (let at = 0; at < count; at++) {
    const x = values[at]!;
    const share = 0.5 * (1 + erf(x * Math.SQRT1_2)); // Φ(x)
    slope[at] = share + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
    values[at] = x * share;
  }
}
