import type { AdamWOptions } from './training-kernels.ts';

/**
 * What AdamW's inner loop needs of its options: θ = decay · θ - stepSize · m / (√v · correction + ε), which is algorithm 2
 * of Loshchilov & Hutter 2019 with the weight decay multiplied by the learning rate, as in PyTorch.
 */
export function adamWFactors({ learningRate, beta1, beta2, weightDecay, step }: AdamWOptions): {
  stepSize: number;
  correction: number;
  decay: number;
} {
  return {
    stepSize: learningRate / (1 - integerPower(beta1, step)),
    correction: 1 / Math.sqrt(1 - integerPower(beta2, step)),
    decay: 1 - learningRate * weightDecay,
  };
}

/** base^exponent by repeated squaring: engines differ in the last bits of `Math.pow`, and training must not. */
function integerPower(base: number, exponent: number): number {
  let result = 1;
  for (let left = exponent, square = base; left > 0; left = Math.floor(left / 2), square *= square) {
    if (left % 2 === 1) result *= square;
  }
  return result;
}
