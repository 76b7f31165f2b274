import { createReferenceTrainingKernels } from './reference/training.ts';
import type { TrainingKernels } from './training-kernels.ts';
import { createWasmTrainingKernels } from './wasm/training.ts';

/**
 * The fastest training kernels that start here: WebAssembly SIMD, or plain TypeScript (some 30 times slower) where
 * WebAssembly is missing or forbidden; `name` says which. `maxBytes` (default 512 MB) is all that `allocate()` can give.
 */
export function createTrainingKernels(options: { maxBytes?: number } = {}): TrainingKernels {
  try {
    return createWasmTrainingKernels(options);
  } catch {
    return createReferenceTrainingKernels();
  }
}
