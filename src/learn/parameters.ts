import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';

/** A trained tensor with its gradient and AdamW's two moments, all in kernel memory. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Rows of the gradient beside which it is zeros; null or absent: any may be another. */
  rows?: Int32Array | null;
}

/** What is to be allocated, by name, in the order in which it is drawn. */
export type ParameterPlan = Readonly<Record<string, { readonly shape: readonly number[]; readonly spread: number }>>;

export type ParameterSet = ReadonlyMap<string, Parameter>;

/** Allocates parameters, drawn uniformly from [-spread, spread]. */
export function createParameters(kernels: TrainingKernels, random: Random, plan: ParameterPlan): ParameterSet {
  const parameters = new Map<string, Parameter>();
  for (const [name, { shape, spread }] of Object.entries(plan)) {
    const length = Math.max(1, shape.reduce((product, size) => product * size, 1));
    const values = kernels.allocate(length);
    for (let k = 0; k < length && spread > 0; k++) values[k] = spread * (2 * random.next() - 1);
    parameters.set(name, { shape, values, gradient: kernels.allocate(length), first: kernels.allocate(length), second: kernels.allocate(length) });
  }
  return parameters;
}

/** Makes all gradients zeros. */
export function clearGradients(parameters: ParameterSet): void {
  for (const parameter of parameters.values()) {
    for (const part of filledParts(parameter)) part.fill(0);
  }
}

/** Scales all gradients down where their common norm is over `limit` (Pascanu et al. 2013). */
export function clipGradients(kernels: TrainingKernels, parameters: ParameterSet, limit: number): number {
  const parts = [...parameters.values()].flatMap(filledParts);
  let squares = 0;
  for (const part of parts) squares += kernels.sumOfSquares(part);
  const norm = Math.sqrt(squares);
  if (norm > limit) for (const part of parts) kernels.scale(part, limit / norm);
  return norm;
}

/** The parts of a gradient that may be other than zero: a step that samples items touches few rows of a large table. */
function filledParts({ shape, gradient, rows }: Parameter): Float32Array[] {
  if (!rows) return [gradient];
  const width = gradient.length / shape[0]!;
  return Array.from(rows, (row) => gradient.subarray(row * width, (row + 1) * width));
}

/**
 * One AdamW step over all parameters; one-dimensional ones (biases) are not decayed. Rows without a gradient take it, too: their
 * moments fade and their weights decay, as the method has it.
 */
export function stepAdamW(kernels: TrainingKernels, parameters: ParameterSet, options: { step: number; learningRate: number; weightDecay: number }): void {
  for (const { shape, values, gradient, first, second } of parameters.values()) {
    kernels.adamW(values, gradient, first, second, {
      learningRate: options.learningRate,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: shape.length > 1 ? options.weightDecay : 0,
      step: options.step,
    });
  }
}
