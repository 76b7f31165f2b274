import { RecommenderError } from '../../errors.ts';
import { adamWFactors } from '../adam-w-factors.ts';
import type { TrainingKernels } from '../training-kernels.ts';
import { decodeKernels, PAGE_BYTES, wasmFailure } from './instantiate.ts';
import { KERNELS_BASE64 } from './training-kernels.generated.ts';

/** Exports of `assembly/training.ts`: addresses are bytes, sizes are elements. */
type TrainingExports = {
  blocksEnd(): number;
  matmul(out: number, a: number, b: number, m: number, n: number, k: number, transposeA: number, transposeB: number, accumulate: number): void;
  lstmForwardBytes(batch: number, hidden: number): number;
  lstmForward(...addressesAndSizes: number[]): void;
  lstmBackwardBytes(steps: number, batch: number, hidden: number): number;
  lstmBackward(...addressesAndSizes: number[]): void;
  softmaxCrossEntropy(logits: number, targets: number, weights: number, rows: number, classes: number): number;
  binaryCrossEntropy(logits: number, targets: number, weights: number, rows: number, classes: number, positiveWeight: number): number;
  adamW(...addressesSizesAndFactors: number[]): void;
  sumOfSquares(x: number, length: number): number;
};

/** Room for the tape, the gradients and a [1,280, 3,700] block of logits many times over. */
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

/** Arrays start on cache lines. */
const ALIGNMENT_BYTES = 64;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

function instantiate(memory: WebAssembly.Memory): TrainingExports {
  try {
    const module = new WebAssembly.Module(decodeKernels(KERNELS_BASE64));
    return new WebAssembly.Instance(module, { env: { memory } }).exports as TrainingExports;
  } catch (error) {
    throw wasmFailure(error);
  }
}

/**
 * Training kernels in WebAssembly SIMD (float32, plain SIMD: the same bits on every machine).
 * All memory, `maxBytes` (default 512 MB), is reserved at once, so that arrays from `allocate()` never detach; the
 * system commits a page only when it is first written. `release()` makes earlier arrays the property of later ones.
 * @throws RecommenderError `DEVICE_FAILED` without WebAssembly SIMD or that much address space; later, by any kernel,
 * when the memory is full; `INVALID_OPTIONS` for an array that is not from `allocate()` or too short, and for targets that are no classes.
 */
export function createWasmTrainingKernels({ maxBytes = DEFAULT_MAX_BYTES }: { maxBytes?: number } = {}): TrainingKernels {
  const memory = reserve(maxBytes);
  const kernels = instantiate(memory);
  const { buffer } = memory;
  const start = align(kernels.blocksEnd());
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

  /** Working memory of one call, taken from the far end: it needs no release and overlaps no array. */
  function borrow(bytes: number): number {
    const address = Math.floor((buffer.byteLength - bytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
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

  return {
    name: 'wasm-simd-f32',

    allocate(length) {
      const address = end;
      const next = align(address + length * 4);
      if (next > buffer.byteLength) throw full(length * 4);
      end = next;
      return new Float32Array(buffer, address, length).fill(0);
    },

    release() {
      end = start;
    },

    matmul(out, a, b, { m, n, k }, { transposeA = false, transposeB = false, accumulate = false } = {}) {
      const flags = [transposeA, transposeB, accumulate].map(Number) as [number, number, number];
      kernels.matmul(at(out, m * n), at(a, m * k), at(b, k * n), m, n, k, ...flags);
    },

    lstmForward(tape, x, parameters, state, keep, { steps, batch, input, hidden }) {
      const rows = steps * batch;
      kernels.lstmForward(
        at(tape.gates, rows * 4 * hidden),
        at(tape.hidden, rows * hidden),
        at(tape.cell, rows * hidden),
        at(x, rows * input),
        at(parameters.inputWeights, 4 * hidden * input),
        at(parameters.hiddenWeights, 4 * hidden * hidden),
        at(parameters.bias, 4 * hidden),
        at(state, 2 * batch * hidden),
        at(keep, rows),
        steps, batch, input, hidden,
        borrow(kernels.lstmForwardBytes(batch, hidden)),
      );
    },

    lstmBackward(gradients, gradientX, gradientHidden, tape, x, parameters, initialState, keep, { steps, batch, input, hidden }) {
      const rows = steps * batch;
      kernels.lstmBackward(
        at(gradients.inputWeights, 4 * hidden * input),
        at(gradients.hiddenWeights, 4 * hidden * hidden),
        at(gradients.bias, 4 * hidden),
        at(gradientX, rows * input),
        at(gradientHidden, rows * hidden),
        at(tape.gates, rows * 4 * hidden),
        at(tape.hidden, rows * hidden),
        at(tape.cell, rows * hidden),
        at(x, rows * input),
        at(parameters.inputWeights, 4 * hidden * input),
        at(parameters.hiddenWeights, 4 * hidden * hidden),
        at(initialState, 2 * batch * hidden),
        at(keep, rows),
        steps, batch, input, hidden,
        borrow(kernels.lstmBackwardBytes(steps, batch, hidden)),
      );
    },

    softmaxCrossEntropy(logits, targets, weights, { rows, classes }) {
      return kernels.softmaxCrossEntropy(at(logits, rows * classes), copyTargets(targets, weights, rows, classes), at(weights, rows), rows, classes);
    },

    binaryCrossEntropy(logits, targets, weights, { rows, classes, positiveWeight }) {
      return kernels.binaryCrossEntropy(at(logits, rows * classes), copyTargets(targets, weights, rows, classes), at(weights, rows), rows, classes, positiveWeight);
    },

    adamW(parameters, gradients, first, second, options) {
      const { length } = parameters;
      const { stepSize, correction, decay } = adamWFactors(options);
      const { beta1, beta2, epsilon } = options;
      kernels.adamW(
        at(parameters, length), at(gradients, length), at(first, length), at(second, length), length,
        beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon, decay,
      );
    },

    sumOfSquares: (x) => kernels.sumOfSquares(at(x, x.length), x.length),
  };
}

function reserve(maxBytes: number): WebAssembly.Memory {
  const pages = Math.ceil(maxBytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    throw wasmFailure(error);
  }
}
