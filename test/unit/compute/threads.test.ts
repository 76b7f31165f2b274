import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTrainingKernels } from '../../../src/compute/open-training-kernels.ts';
import type { LstmParameters, TrainingKernels } from '../../../src/compute/training-kernels.ts';
import { sharedCrew } from '../../../src/compute/wasm/crew.ts';
import { RING_BYTES, RING_TASKS, TaskRing, type Task, type TaskExports } from '../../../src/compute/wasm/task-ring.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { STEP_LOSSES, trainSteps } from '../../helpers/training-steps.ts';
import { seededValues } from './numbers.ts';

const MEGABYTES = 64 * 2 ** 20;
const failed = (text: string): Error => expect.objectContaining({ name: 'RecommenderError', code: 'DEVICE_FAILED', message: expect.stringContaining(text) as string }) as Error;

type Kernels = Awaited<ReturnType<typeof openTrainingKernels>>;
let two: Kernels;
let eight: Kernels;

beforeAll(async () => {
  two = await openTrainingKernels({ maxBytes: MEGABYTES, threads: 2 });
  eight = await openTrainingKernels({ maxBytes: MEGABYTES, threads: 8 });
});
afterAll(() => Promise.all([two.close(), eight.close()]));

type Make = (length: number) => Float32Array;
type Program = (kernels: TrainingKernels, make: Make) => readonly (Float32Array | number)[];

const inputs = seededValues(5)(1_500_000);

/** The bytes of what a program gives, from the same values in the kernels' own memory. */
function run(kernels: TrainingKernels, program: Program): string {
  kernels.release();
  let used = 0;
  const results = program(kernels, (length) => {
    const array = kernels.allocate(length);
    array.set(inputs.subarray(used, (used += length)));
    return array;
  });
  const hash = createHash('sha256');
  for (const result of results) hash.update(typeof result === 'number' ? Float64Array.of(result) : Float32Array.from(result));
  expect(results.every((result) => (typeof result === 'number' ? [result] : result).some((value) => value !== 0))).toBe(true);
  return hash.digest('hex');
}

const ROWS = 300; // odd shapes, each large enough to be shared
const CLASSES = 1_003;
const targets = Int32Array.from({ length: ROWS }, (_, row) => (row * 7) % CLASSES);

const PROGRAMS: Readonly<Record<string, Program>> = {
  ...Object.fromEntries(
    [[130, 1_030, 70], [1_030, 130, 300]].flatMap(([m = 0, n = 0, k = 0]) =>
      [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
        const options = { transposeA: (bits & 1) > 0, transposeB: (bits & 2) > 0, accumulate: (bits & 4) > 0 };
        const program: Program = (kernels, make) => {
          const out = make(m * n);
          kernels.matmul(out, make(m * k), make(k * n), { m, n, k }, options);
          return [out];
        };
        return [`matmul ${m} x ${n} x ${k} ${JSON.stringify(options)}`, program] as const;
      }),
    ),
  ),
  LSTM(kernels, make) {
    const shape = { steps: 7, batch: 45, input: 33, hidden: 50 };
    const { steps, batch, input, hidden } = shape;
    const rows = steps * batch;
    const weights = (): LstmParameters => ({ inputWeights: make(4 * hidden * input), hiddenWeights: make(4 * hidden * hidden), bias: make(4 * hidden) });
    const [parameters, gradients] = [weights(), weights()];
    const tape = { gates: make(rows * 4 * hidden), hidden: make(rows * hidden), cell: make(rows * hidden) };
    const [x, state, initialState, keep, gradientX] = [make(rows * input), make(2 * batch * hidden), make(2 * batch * hidden), kernels.allocate(rows), make(rows * input)] as const;
    keep.forEach((_, row) => (keep[row] = row % 5 === 0 ? 0 : 1));
    kernels.lstmForward(tape, x, parameters, state, keep, shape);
    kernels.lstmBackward(gradients, gradientX, make(rows * hidden), tape, x, parameters, initialState, keep, shape);
    return [tape.gates, tape.hidden, tape.cell, state, gradientX, gradients.inputWeights, gradients.hiddenWeights, gradients.bias];
  },
  softmaxCrossEntropy(kernels, make) {
    const logits = make(ROWS * CLASSES);
    return [kernels.softmaxCrossEntropy(logits, targets, make(ROWS), { rows: ROWS, classes: CLASSES }), logits];
  },
  binaryCrossEntropy(kernels, make) {
    const logits = make(ROWS * CLASSES);
    return [kernels.binaryCrossEntropy(logits, targets, make(ROWS), { rows: ROWS, classes: CLASSES, positiveWeight: 0.3 }), logits];
  },
  adamW(kernels, make) {
    const [values, gradient, first, second] = [make(200_003), make(200_003), make(200_003), make(200_003)] as const;
    second.forEach((value, at) => (second[at] = Math.abs(value)));
    kernels.adamW(values, gradient, first, second, { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.5, step: 3 });
    return [values, first, second];
  },
  'sums and scales'(kernels, make) {
    const [values, bias, sums] = [make(ROWS * CLASSES), make(CLASSES), make(CLASSES)] as const;
    kernels.addBias(values, bias, { rows: ROWS, columns: CLASSES });
    kernels.addColumns(sums, values, { rows: ROWS, columns: CLASSES });
    const before = kernels.sumOfSquares(values);
    kernels.scale(values, 0.3);
    return [before, kernels.sumOfSquares(values), values, sums];
  },
};

describe('training threads', () => {
  it.each(Object.entries(PROGRAMS))('give the same bytes with one thread, two and eight: %s', (_, program) => {
    const alone = run(createWasmTrainingKernels({ maxBytes: MEGABYTES }), program);
    for (let round = 0; round < 3; round++) {
      expect(run(two, program)).toBe(alone);
      expect(run(eight, program)).toBe(alone);
    }
  });

  it.each(Object.entries(STEP_LOSSES))('train an interest LSTM to the same bytes: %s', (_, loss) => {
    const alone = trainSteps(createWasmTrainingKernels({ maxBytes: MEGABYTES }), loss);
    expect(new Set(alone.losses).size).toBe(4);
    expect(trainSteps(two, loss)).toEqual(alone);
    expect(trainSteps(eight, loss)).toEqual(alone);
  });

  it('say that they were ended, and what their memory must hold', async () => {
    const kernels = await openTrainingKernels({ maxBytes: MEGABYTES, threads: 3 });
    expect(kernels.name).toBe('wasm-simd-f32, 3 threads');
    await kernels.close();
    const x = kernels.allocate(4);
    expect(() => kernels.matmul(x, x, x, { m: 2, n: 2, k: 1 })).toThrow(failed('has ended'));
    await expect(openTrainingKernels({ maxBytes: 2 ** 20, threads: 8 })).rejects.toThrow(failed('raise maxBytes'));
  });

  it('are one where that is asked for', async () => {
    const kernels = await openTrainingKernels({ maxBytes: MEGABYTES });
    expect(kernels.name).toBe('wasm-simd-f32');
    await kernels.close();
  });
});

describe('a crew that shares its tasks', () => {
  const MUCH = 2 ** 30;
  const tasks = (count: number): Task[] => Array.from({ length: count }, (_, at) => ({ kernel: 'sumOfSquares', values: [at] }));
  const exportsOf = (sumOfSquares: (value: number) => number): TaskExports => ({ sumOfSquares }) as unknown as TaskExports;
  const options = { threads: 2, lost: () => undefined, patienceMs: 20 };

  it('takes every task once, also more than the ring holds, and across its end', () => {
    const ring = new TaskRing(new SharedArrayBuffer(RING_BYTES), 0);
    const asked: number[] = [];
    const crew = sharedCrew(exportsOf((value) => 2 * asked.push(value)), ring, options);
    expect(crew.run(tasks(100), MUCH)).toEqual(tasks(100).map((_, at) => 2 * (at + 1)));
    expect(crew.run(tasks(RING_TASKS + 90), MUCH)).toHaveLength(RING_TASKS + 90);
    expect(asked).toEqual([...tasks(100), ...tasks(RING_TASKS + 90)].map(({ values }) => values[0]));
  });

  it('does not wait for ever for a thread that died at its task', () => {
    const memory = new SharedArrayBuffer(RING_BYTES);
    let first = true;
    const crew = sharedCrew(exportsOf(() => {
      if (first) Atomics.add(new Int32Array(memory), 1, 1); // another thread takes the next task
      first = false;
      return 0;
    }), new TaskRing(memory, 0), options);
    expect(() => crew.run(tasks(4), MUCH)).toThrow(failed('does not answer'));
  });

  it('says when a kernel failed in another thread', () => {
    const memory = new SharedArrayBuffer(RING_BYTES);
    const helper = new TaskRing(memory, 0);
    const crew = sharedCrew(exportsOf((value) => {
      if (value === 0) helper.doOne(exportsOf(() => { throw new Error('out of bounds'); }));
      return 0;
    }), new TaskRing(memory, 0), options);
    expect(() => crew.run(tasks(3), MUCH)).toThrow(failed('has failed'));
  });

  it('keeps small work to itself', () => {
    const ring = new TaskRing(new SharedArrayBuffer(RING_BYTES), 0);
    const published = vi.spyOn(ring, 'publish');
    sharedCrew(exportsOf(() => 1), ring, options).run(tasks(4), 1_000);
    expect(published).not.toHaveBeenCalled();
  });
});
