import { describe, expect, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import type { LstmShape, TrainingKernels } from '../../../src/compute/training-kernels.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { seededValues } from './numbers.ts';

/** Large enough that float32 losses resolve the difference, small enough that curvature does not show. */
const STEP = 1e-2;

/** Compares a gradient with central differences of the loss at every element. */
function expectGradient(gradient: Float32Array, variable: Float32Array, loss: () => number): void {
  const numeric = variable.map((value, i) => {
    variable[i] = value + STEP;
    const above = loss();
    variable[i] = value - STEP;
    const below = loss();
    variable[i] = value;
    return (above - below) / (2 * STEP);
  });
  const scale = numeric.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-2);
  numeric.forEach((value, i) => expect(Math.abs(gradient[i]! - value) / scale, `element ${i}`).toBeLessThan(2e-3));
}

describe.each<[string, () => TrainingKernels]>([
  ['reference', createReferenceTrainingKernels],
  ['wasm', () => createWasmTrainingKernels({ maxBytes: 4 * 1024 * 1024 })],
])('finite differences of the %s kernels', (_, create) => {
  const kernels = create();
  const values = seededValues(11);
  const make = (length: number, scale = 1): Float32Array => {
    const array = kernels.allocate(length);
    array.set(values(length, scale));
    return array;
  };

  it('lstmBackward is the gradient of lstmForward', () => {
    const shape: LstmShape = { steps: 4, batch: 2, input: 3, hidden: 5 };
    const { steps, batch, input, hidden } = shape;
    const rows = steps * batch;
    const parameters = { inputWeights: make(4 * hidden * input), hiddenWeights: make(4 * hidden * hidden), bias: make(4 * hidden) };
    const tape = { gates: make(rows * 4 * hidden), hidden: make(rows * hidden), cell: make(rows * hidden) };
    const x = make(rows * input);
    const initialState = make(2 * batch * hidden);
    const state = kernels.allocate(initialState.length);
    const keep = make(rows).fill(1);
    keep[batch * 2] = 0; // The first row's sequence starts again at step 2.
    const direction = make(rows * hidden); // loss = Σ direction · hidden
    const loss = (): number => {
      state.set(initialState);
      kernels.lstmForward(tape, x, parameters, state, keep, shape);
      return tape.hidden.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    };
    loss();
    const gradients = {
      inputWeights: kernels.allocate(4 * hidden * input),
      hiddenWeights: kernels.allocate(4 * hidden * hidden),
      bias: kernels.allocate(4 * hidden),
    };
    const gradientX = kernels.allocate(x.length);
    kernels.lstmBackward(gradients, gradientX, direction, tape, x, parameters, initialState, keep, shape);
    expectGradient(gradients.inputWeights, parameters.inputWeights, loss);
    expectGradient(gradients.hiddenWeights, parameters.hiddenWeights, loss);
    expectGradient(gradients.bias, parameters.bias, loss);
    expectGradient(gradientX, x, loss);
  });

  it('binaryCrossEntropy writes its own gradient', () => {
    const shape = { rows: 3, classes: 7, positiveWeight: 0.3 };
    const logits = make(21, 2);
    const targets = Int32Array.of(0, 3, 6);
    const weights = make(3);
    weights.set([1, 0.5, 0]);
    const gradient = make(21);
    const loss = (): number => {
      gradient.set(logits);
      return kernels.binaryCrossEntropy(gradient, targets, weights, shape);
    };
    loss();
    expectGradient(gradient.slice(), logits, loss);
  });

  it('softmaxCrossEntropy writes its own gradient', () => {
    const shape = { rows: 3, classes: 7 };
    const logits = make(21, 2);
    const targets = Int32Array.of(0, 3, 6);
    const weights = make(3);
    weights.set([1, 0.5, 0]);
    const gradient = make(21);
    const loss = (): number => {
      gradient.set(logits);
      return kernels.softmaxCrossEntropy(gradient, targets, weights, shape);
    };
    loss();
    expectGradient(gradient.slice(), logits, loss);
  });
});
