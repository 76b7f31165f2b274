import { RecommenderError } from '../../errors.ts';
import { adamWFactors } from '../adam-w-factors.ts';
import type { TrainingKernels } from '../training-kernels.ts';
import { cut, cutEvery, type Crew } from './crew.ts';
import type { Task, TaskExports } from './task-ring.ts';

/** Exports of `assembly/training.ts`: addresses are bytes, sizes are elements. */
export type TrainingExports = TaskExports & {
  readonly blocksEnd: () => number;
  readonly useBlocks: (address: number) => number;
  readonly lstmForwardBytes: (lanes: number, hidden: number) => number;
  readonly lstmBackwardBytes: (lanes: number, hidden: number) => number;
};

/** Arrays start on cache lines. */
const ALIGNMENT_BYTES = 64;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

// What is summed is cut at the same places whoever works, so that the sums are the same.
const LOSS_ROWS = 32;
const SUM_VALUES = 65_536;

// What an element costs, in multiplications with an addition.
const EXPONENTIAL = 20;
const ADAM = 8;
const TRAFFIC = 4; // of a loop that waits for memory

interface Start {
  readonly kernels: TrainingExports;
  readonly crew: Crew;
  /** The first address that arrays may use. */
  readonly start: number;
  readonly name: string;
}

/** Training kernels on a memory that holds nothing else from `start` on; their work is cut into tasks for the crew. */
export function kernelsOn(buffer: ArrayBufferLike, { kernels, crew, start, name }: Start): TrainingKernels {
  let end = start;

  /** The address of an array that the kernels will read or write up to `length`: they themselves check nothing. */
  function at(array: Float32Array, length: number): number {
    if (array.buffer !== buffer) {
      throw new RecommenderError('INVALID_OPTIONS', 'Arrays for training kernels must come from their allocate().');
    }
    if (array.length < length) {
      throw new RecommenderError('INVALID_OPTIONS', `An array of ${array.length} values is too short: ${length} are used.`);
    }
    return array.byteOffset;
  }

  /** Working memory of one call, taken from the far end: it needs no release and overlaps no array. `taken` is borrowed already. */
  function borrow(bytes: number, taken = buffer.byteLength): number {
    const address = Math.floor((taken - bytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    if (address >= end) return address;
    throw full(bytes);
  }

  function full(bytes: number): RecommenderError {
    return new RecommenderError('DEVICE_FAILED', `${bytes} bytes do not fit into the kernels’ ${buffer.byteLength}; raise maxBytes.`);
  }

  /** `allocate()` gives no Int32Array, so targets may live anywhere: the address of a copy that lasts for one call. */
  function copyTargets(targets: Int32Array, weights: Float32Array, rows: number, classes: number): number {
    const isWrong = (target: number, row: number): boolean => weights[row] !== 0 && !(target >= 0 && target < classes);
    if (targets.length < rows || targets.subarray(0, rows).some(isWrong)) {
      throw new RecommenderError('INVALID_OPTIONS', `Targets must be ${rows} class numbers below ${classes}.`);
    }
    const copied = borrow(rows * 4);
    new Int32Array(buffer, copied, rows).set(targets.subarray(0, rows));
    return copied;
  }

  /** Rows of the output where it is tall, columns where it is wide: each part packs the other side anew. */
  function matmul(out: number, a: number, b: number, { m, n, k }: { m: number; n: number; k: number }, { transposeA = false, transposeB = false, accumulate = false }): void {
    const work = m * n * k;
    const [aStride, bStride] = [transposeA ? m : k, transposeB ? k : n];
    const flags = [n, aStride, bStride, Number(transposeA), Number(transposeB), Number(accumulate)];
    const tasks =
      n > m
        ? cut(n, crew, work, { multiple: 64 }).map(({ from, size }): Task => ({ kernel: 'matmul', values: [out + from * FLOAT, a, b + from * (transposeB ? k : 1) * FLOAT, m, size, k, ...flags] }))
        : cut(m, crew, work, { multiple: 64 }).map(({ from, size }): Task => ({ kernel: 'matmul', values: [out + from * n * FLOAT, a + from * (transposeA ? 1 : k) * FLOAT, b, size, n, k, ...flags] }));
    crew.run(tasks, work);
  }

  function addColumns(sums: number, values: number, rows: number, columns: number): void {
    const work = rows * columns * TRAFFIC;
    crew.run(cut(columns, crew, work, { multiple: 16 }).map(({ from, size }) => ({ kernel: 'addColumns', values: [sums + from * FLOAT, values + from * FLOAT, rows, size, columns] })), work);
  }

  function crossEntropy(kernel: 'softmaxCrossEntropy' | 'binaryCrossEntropy', logits: Float32Array, targets: Int32Array, weights: Float32Array, { rows, classes }: { rows: number; classes: number }, more: readonly number[]): number {
    const [logitsAt, weightsAt, targetsAt] = [at(logits, rows * classes), at(weights, rows), copyTargets(targets, weights, rows, classes)];
    const tasks = cutEvery(rows, LOSS_ROWS).map(({ from, size }): Task => ({ kernel, values: [logitsAt + from * classes * FLOAT, targetsAt + from * FLOAT, weightsAt + from * FLOAT, size, classes, ...more] }));
    return crew.run(tasks, rows * classes * EXPONENTIAL).reduce((sum, loss) => sum + loss, 0);
  }

  return {
    name,

    allocate(length) {
      const address = end;
      const next = align(address + length * FLOAT);
      if (next > buffer.byteLength) throw full(length * FLOAT);
      end = next;
      return new Float32Array(buffer, address, length).fill(0);
    },

    release() {
      end = start;
    },

    matmul(out, a, b, { m, n, k }, options = {}) {
      matmul(at(out, m * n), at(a, m * k), at(b, k * n), { m, n, k }, options);
    },

    lstmForward(tape, x, { inputWeights, hiddenWeights, bias }, state, keep, { steps, batch, input, hidden }) {
      const rows = steps * batch;
      const gates = at(tape.gates, rows * 4 * hidden);
      const lane = hidden * FLOAT;
      const [hiddenAt, cellAt, stateAt, keepAt] = [at(tape.hidden, rows * hidden), at(tape.cell, rows * hidden), at(state, 2 * batch * hidden), at(keep, rows)];
      const [hiddenWeightsAt, biasAt] = [at(hiddenWeights, 4 * hidden * hidden), at(bias, 4 * hidden)];
      // The inputs of all steps are known: one product instead of `steps` small ones.
      matmul(gates, at(x, rows * input), at(inputWeights, 4 * hidden * input), { m: rows, n: 4 * hidden, k: input }, { transposeB: true }); // [steps · batch, 4 · hidden]
      const work = rows * 4 * hidden * (hidden + EXPONENTIAL);
      let borrowed: number | undefined;
      const tasks = cut(batch, crew, work, { multiple: 4, perThread: 1 }).map(({ from, size }): Task => {
        borrowed = borrow(kernels.lstmForwardBytes(size, hidden), borrowed);
        return { kernel: 'lstmForward', values: [gates + from * 4 * lane, hiddenAt + from * lane, cellAt + from * lane, hiddenWeightsAt, biasAt, stateAt + from * lane, keepAt + from * FLOAT, steps, batch, size, hidden, borrowed] };
      });
      crew.run(tasks, work);
    },

    lstmBackward(gradients, gradientX, gradientHidden, tape, x, { inputWeights, hiddenWeights }, initialState, keep, { steps, batch, input, hidden }) {
      const rows = steps * batch;
      const lane = hidden * FLOAT;
      const [gradientHiddenAt, gatesAt, hiddenAt, cellAt] = [at(gradientHidden, rows * hidden), at(tape.gates, rows * 4 * hidden), at(tape.hidden, rows * hidden), at(tape.cell, rows * hidden)];
      const [hiddenWeightsAt, stateAt, keepAt] = [at(hiddenWeights, 4 * hidden * hidden), at(initialState, 2 * batch * hidden), at(keep, rows)];
      const [gradientInputAt, gradientHiddenWeightsAt, gradientBiasAt] = [at(gradients.inputWeights, 4 * hidden * input), at(gradients.hiddenWeights, 4 * hidden * hidden), at(gradients.bias, 4 * hidden)];
      const [gradientXAt, xAt, inputWeightsAt] = [at(gradientX, rows * input), at(x, rows * input), at(inputWeights, 4 * hidden * input)];
      const gradientGates = borrow(rows * 4 * lane); // [steps, batch, 4 · hidden]
      const hiddenBefore = borrow(rows * lane, gradientGates); // [steps, batch, hidden], already times keep
      let borrowed = hiddenBefore;
      const work = rows * 4 * hidden * (hidden + EXPONENTIAL);
      const tasks = cut(batch, crew, work, { multiple: 4, perThread: 1 }).map(({ from, size }): Task => {
        borrowed = borrow(kernels.lstmBackwardBytes(size, hidden), borrowed);
        const offset = from * lane;
        return {
          kernel: 'lstmBackward',
          values: [gradientGates + 4 * offset, hiddenBefore + offset, gradientHiddenAt + offset, gatesAt + 4 * offset, hiddenAt + offset, cellAt + offset, hiddenWeightsAt, stateAt + offset, keepAt + from * FLOAT, steps, batch, size, hidden, borrowed],
        };
      });
      crew.run(tasks, work);
      matmul(gradientHiddenWeightsAt, gradientGates, hiddenBefore, { m: 4 * hidden, n: hidden, k: rows }, { transposeA: true, accumulate: true });
      matmul(gradientInputAt, gradientGates, xAt, { m: 4 * hidden, n: input, k: rows }, { transposeA: true, accumulate: true });
      matmul(gradientXAt, gradientGates, inputWeightsAt, { m: rows, n: input, k: 4 * hidden }, {});
      addColumns(gradientBiasAt, gradientGates, rows, 4 * hidden);
    },

    softmaxCrossEntropy: (logits, targets, weights, shape) => crossEntropy('softmaxCrossEntropy', logits, targets, weights, shape, []),

    binaryCrossEntropy: (logits, targets, weights, shape) => crossEntropy('binaryCrossEntropy', logits, targets, weights, shape, [shape.positiveWeight]),

    adamW(parameters, gradients, first, second, options) {
      const { length } = parameters;
      const addresses = [parameters, gradients, first, second].map((array) => at(array, length));
      const { stepSize, correction, decay } = adamWFactors(options);
      const { beta1, beta2, epsilon } = options;
      const factors = [beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon, decay];
      const work = length * ADAM;
      crew.run(cut(length, crew, work, { multiple: 16 }).map(({ from, size }) => ({ kernel: 'adamW', values: [...addresses.map((address) => address + from * FLOAT), size, ...factors] })), work);
    },

    sumOfSquares(x) {
      const address = at(x, x.length);
      const tasks = cutEvery(x.length, SUM_VALUES).map(({ from, size }): Task => ({ kernel: 'sumOfSquares', values: [address + from * FLOAT, size] }));
      return crew.run(tasks, x.length * TRAFFIC).reduce((sum, part) => sum + part, 0);
    },

    scale(x, factor) {
      const address = at(x, x.length);
      const work = x.length * TRAFFIC;
      crew.run(cut(x.length, crew, work, { multiple: 16 }).map(({ from, size }) => ({ kernel: 'scale', values: [address + from * FLOAT, size, factor] })), work);
    },

    addBias(values, bias, { rows, columns }) {
      const [valuesAt, biasAt] = [at(values, rows * columns), at(bias, columns)];
      const work = rows * columns * TRAFFIC;
      crew.run(cut(rows, crew, work, { multiple: 1 }).map(({ from, size }) => ({ kernel: 'addBias', values: [valuesAt + from * columns * FLOAT, biasAt, size, columns, columns] })), work);
    },

    addColumns: (sums, values, { rows, columns }) => addColumns(at(sums, columns), at(values, rows * columns), rows, columns),
  };
}
