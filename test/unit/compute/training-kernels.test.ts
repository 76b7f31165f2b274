import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import type { LstmParameters, LstmShape, TrainingKernels } from '../../../src/compute/training-kernels.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { expectClose, seededValues } from './numbers.ts';

const reference = createReferenceTrainingKernels();
const wasm = createWasmTrainingKernels({ maxBytes: 16 * 1024 * 1024 });
const seed = fc.integer({ min: 0, max: 1e9 });
const size = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

/** `make` gives seeded values in the kernels' own memory; two calls with one seed give two kernels the same inputs. */
type Make = (length: number, scale?: number) => Float32Array;

/** Runs one program on both twins and compares every array that it returns; `least` is as for `expectClose()`. */
function compareTwins(
  start: number,
  program: (kernels: TrainingKernels, make: Make) => readonly (Float32Array | number)[],
  least?: number,
): void {
  wasm.release();
  const [actual, expected] = [wasm, reference].map((kernels) => {
    const values = seededValues(start);
    return program(kernels, (length, scale = 1) => {
      const array = kernels.allocate(length);
      array.set(values(length, scale));
      return array;
    });
  });
  expected!.forEach((wanted, i) => {
    const got = actual![i]!;
    const [one, other] = typeof wanted === 'number' ? [[got as number], [wanted]] : [got as Float32Array, wanted];
    expectClose(one, other, 1e-5, least);
  });
}

describe('matmul', () => {
  it('agrees with a product by hand, transposed or not', () => {
    const a = Float32Array.of(1, 2, 3, 4, 5, 6); // [2, 3]
    const b = Float32Array.of(1, 0, 0, 1, 1, 1); // [3, 2]
    const out = Float32Array.of(100, 200, 300, 400);
    reference.matmul(out, a, b, { m: 2, n: 2, k: 3 }, { accumulate: true });
    expect([...out]).toEqual([104, 205, 310, 411]);
    reference.matmul(out, a, b, { m: 2, n: 2, k: 3 }, { transposeA: true }); // a as [3, 2]: columns 1 3 5 and 2 4 6
    expect([...out]).toEqual([6, 8, 8, 10]);
    reference.matmul(out, a, b, { m: 2, n: 2, k: 3 }, { transposeB: true }); // b as [2, 3]: rows 1 0 0 and 1 1 1
    expect([...out]).toEqual([1, 6, 4, 15]);
  });

  it('agrees between the twins, whatever the shape', () => {
    fc.assert(fc.property(size(40, 0), size(40), size(40, 0), fc.boolean(), fc.boolean(), fc.boolean(), seed,
      (m, n, k, transposeA, transposeB, accumulate, start) => {
        compareTwins(start, (kernels, make) => {
          const out = make(m * n);
          kernels.matmul(out, make(m * k), make(k * n), { m, n, k }, { transposeA, transposeB, accumulate });
          return [out];
        });
      }));
  });

  it.each([[65, 519, 257], [70, 8, 600], [3, 1030, 20]])('agrees across block edges, %i x %i x %i', (m, n, k) => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        compareTwins(m, (kernels, make) => {
          const out = make(m * n);
          kernels.matmul(out, make(m * k), make(k * n), { m, n, k }, { transposeA, transposeB, accumulate: true });
          return [out];
        });
      }
    }
  });
});

describe('LSTM', () => {
  it('agrees between the twins, forward and backward, with sequences that start again', () => {
    fc.assert(fc.property(size(6), size(6), size(13), size(21), seed, (steps, batch, input, hidden, start) => {
      const shape: LstmShape = { steps, batch, input, hidden };
      compareTwins(start, (kernels, make) => {
        const rows = steps * batch;
        const weights = (): LstmParameters => ({
          inputWeights: make(4 * hidden * input), hiddenWeights: make(4 * hidden * hidden), bias: make(4 * hidden),
        });
        const parameters = weights();
        const gradients = weights(); // Not zero: gradients are added to.
        const tape = { gates: make(rows * 4 * hidden), hidden: make(rows * hidden), cell: make(rows * hidden) };
        const x = make(rows * input);
        const state = make(2 * batch * hidden);
        const initialState = kernels.allocate(state.length);
        initialState.set(state);
        const keep = make(rows).map((value) => (value > 0 ? 1 : 0));
        const kept = kernels.allocate(rows);
        kept.set(keep);
        const gradientX = make(rows * input);
        kernels.lstmForward(tape, x, parameters, state, kept, shape);
        kernels.lstmBackward(gradients, gradientX, make(rows * hidden), tape, x, parameters, initialState, kept, shape);
        return [tape.gates, tape.hidden, tape.cell, state, gradientX, gradients.inputWeights, gradients.hiddenWeights, gradients.bias];
      });
    }));
  });
});

describe('softmaxCrossEntropy', () => {
  it('gives loss and gradient of a row by hand', () => {
    const logits = Float32Array.of(0, Math.log(3), 5, 6);
    const loss = reference.softmaxCrossEntropy(logits, Int32Array.of(0, -1), Float32Array.of(2, 0), { rows: 2, classes: 2 });
    expect(loss).toBeCloseTo(2 * Math.log(4), 6);
    expectClose(logits, [-1.5, 1.5, 0, 0], 1e-6);
  });

  it('takes the logarithm of any sum of exponentials exactly', () => {
    for (let classes = 1; classes < 5000; classes = Math.ceil(classes * 1.1)) {
      wasm.release();
      const loss = wasm.softmaxCrossEntropy(
        wasm.allocate(classes), Int32Array.of(0), wasm.allocate(1).fill(1), { rows: 1, classes },
      );
      expect(loss).toBeCloseTo(Math.log(classes), 13);
    }
  });

  it('agrees between the twins, also for logits that overflow without their maximum', () => {
    fc.assert(fc.property(size(6), size(50), fc.constantFrom(1, 30, 300), seed, (rows, classes, scale, start) => {
      compareTwins(start, (kernels, make) => {
        const logits = make(rows * classes, scale);
        const targets = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes);
        const weights = make(rows);
        if (rows > 2) weights[1] = 0;
        const loss = kernels.softmaxCrossEntropy(logits, targets, weights, { rows, classes });
        return [logits, loss];
        // A gradient is weight · (p - 1) at the target: where p is almost 1, float32 leaves 1e-7 of the weight.
      }, 1);
    }));
  });
});

describe('adamW', () => {
  const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.5, step: 1 };

  it('moves by the learning rate at the first step, after the decay', () => {
    const parameters = Float32Array.of(1, -2);
    reference.adamW(parameters, Float32Array.of(3, -0.01), new Float32Array(2), new Float32Array(2), options);
    expectClose(parameters, [0.95 - 0.1, -1.9 + 0.1], 1e-6);
  });

  it('agrees between the twins over many steps', () => {
    fc.assert(fc.property(size(21), seed, (length, start) => {
      compareTwins(start, (kernels, make) => {
        const parameters = make(length);
        const first = kernels.allocate(length);
        const second = kernels.allocate(length);
        for (let step = 1; step <= 5; step += 1) kernels.adamW(parameters, make(length), first, second, { ...options, step });
        return [parameters, first, second];
      });
    }), { numRuns: 30 });
  });
});

describe('binaryCrossEntropy', () => {
  it('agrees with a row by hand', () => {
    const logits = Float32Array.of(0, Math.log(3), -Math.log(3), 9); // σ = 1/2, 3/4, 1/4
    const weights = Float32Array.of(2, 0);
    const loss = reference.binaryCrossEntropy(logits, Int32Array.of(1, 0), weights, { rows: 1, classes: 3, positiveWeight: 0.5 });
    expectClose([loss], [2 * (Math.log(2) - 0.5 * Math.log(0.75) - Math.log(0.75))], 1e-6);
    expectClose(logits, [1, -0.25, 0.5, 9], 1e-6);
  });

  it('agrees between the twins, far from 0 and over many classes, too', () => {
    const program = (rows: number, classes: number, scale: number, positiveWeight: number) => (kernels: TrainingKernels, make: Make) => {
      const logits = make(rows * classes, scale);
      const weights = make(rows);
      weights.forEach((value, row) => (weights[row] = row % 3 === 2 ? 0 : Math.abs(value) + 0.1));
      const targets = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes);
      return [kernels.binaryCrossEntropy(logits, targets, weights, { rows, classes, positiveWeight }), logits];
    };
    fc.assert(fc.property(size(6), size(30), fc.constantFrom(0.1, 3, 60), fc.double({ min: 0.01, max: 1, noNaN: true }), seed, (rows, classes, scale, positiveWeight, start) => {
      compareTwins(start, program(rows, classes, scale, positiveWeight));
    }));
    compareTwins(3, program(2, 4_003, 1, 0.3)); // several logarithms a row
  });
});

describe('sumOfSquares', () => {
  it('agrees between the twins', () => {
    expect(reference.sumOfSquares(Float32Array.of(1, 2, 3))).toBe(14);
    fc.assert(fc.property(size(40, 0), seed, (length, start) => {
      compareTwins(start, (kernels, make) => [kernels.sumOfSquares(make(length))]);
    }));
  });
});

describe('memory of the wasm twin', () => {
  const failed = (code: string): Error => expect.objectContaining({ name: 'RecommenderError', code }) as Error;

  it('is zeroed by allocate() after release(), and earlier views stay attached', () => {
    const kernels = createWasmTrainingKernels({ maxBytes: 4 * 1024 * 1024 });
    const array = kernels.allocate(1000).fill(1);
    kernels.release();
    expect(kernels.allocate(1000).every((value) => value === 0)).toBe(true);
    expect(array.length).toBe(1000);
  });

  it('says when it is full, and refuses what would write elsewhere', () => {
    const kernels = createWasmTrainingKernels({ maxBytes: 4 * 1024 * 1024 });
    expect(() => kernels.allocate(1024 * 1024)).toThrow(failed('DEVICE_FAILED'));
    expect(() => kernels.sumOfSquares(new Float32Array(3))).toThrow(failed('INVALID_OPTIONS'));
    const four = kernels.allocate(4).fill(1);
    expect(() => kernels.matmul(four, four, four, { m: 2, n: 3, k: 2 })).toThrow(failed('INVALID_OPTIONS'));
    const shape = { rows: 1, classes: 4 };
    expect(() => kernels.softmaxCrossEntropy(four, Int32Array.of(4), four, shape)).toThrow(failed('INVALID_OPTIONS'));
    expect(() => kernels.binaryCrossEntropy(four, Int32Array.of(-1), four, { ...shape, positiveWeight: 1 })).toThrow(failed('INVALID_OPTIONS'));
    expect(() => kernels.softmaxCrossEntropy(four, new Int32Array(0), four, shape)).toThrow(failed('INVALID_OPTIONS'));
  });

  it('gives the same bits again', () => {
    const once = (): Float32Array => {
      const kernels = createWasmTrainingKernels({ maxBytes: 4 * 1024 * 1024 });
      const make = seededValues(9);
      const [a, b, out] = [kernels.allocate(33 * 70), kernels.allocate(70 * 21), kernels.allocate(33 * 21)] as const;
      a.set(make(a.length));
      b.set(make(b.length));
      kernels.matmul(out, a, b, { m: 33, n: 21, k: 70 });
      return out.slice();
    };
    expect(once()).toEqual(once());
  });
});
