import type { TrainingKernels } from '../training-kernels.ts';
import { soloCrew } from './crew.ts';
import { decodeKernels, PAGE_BYTES, wasmFailure } from './instantiate.ts';
import { align, kernelsOn, type TrainingExports } from './kernels-on-memory.ts';
import { KERNELS_BASE64 } from './training-kernels.generated.ts';

/** Room for the tape, the gradients and a [1,280, 3,700] block of logits many times over. */
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

/**
 * Training kernels in WebAssembly SIMD (float32, plain SIMD: the same bits on every machine).
 * All memory, `maxBytes` (default 512 MB), is reserved at once, so that arrays from `allocate()` never detach; the
 * system commits a page only when it is first written. `release()` makes earlier arrays the property of later ones.
 * @throws RecommenderError `DEVICE_FAILED` without WebAssembly SIMD or that much address space; later, by any kernel,
 * when the memory is full; `INVALID_OPTIONS` for an array that is not from `allocate()` or too short, and for targets that are no classes.
 */
export function createWasmTrainingKernels({ maxBytes = DEFAULT_MAX_BYTES }: { maxBytes?: number } = {}): TrainingKernels {
  const { memory, kernels } = startKernels(KERNELS_BASE64, { maxBytes });
  return kernelsOn(memory.buffer, { kernels, crew: soloCrew(kernels), start: align(kernels.blocksEnd()), name: 'wasm-simd-f32' });
}

/** A training module with memory of its own. */
export function startKernels(base64: string, { maxBytes, shared = false }: { maxBytes: number; shared?: boolean }): { module: WebAssembly.Module; memory: WebAssembly.Memory; kernels: TrainingExports } {
  const pages = Math.ceil(maxBytes / PAGE_BYTES);
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    const module = new WebAssembly.Module(decodeKernels(base64));
    return { module, memory, kernels: new WebAssembly.Instance(module, { env: { memory } }).exports as WebAssembly.Exports & TrainingExports };
  } catch (error) {
    throw wasmFailure(error);
  }
}

