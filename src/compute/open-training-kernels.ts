import { createTrainingKernels } from './create-training-kernels.ts';
import type { TrainingKernels } from './training-kernels.ts';

/**
 * `createTrainingKernels()` for Node, whose work `threads` threads (default 1) share; the bytes that are trained are the same with any
 * number. `close()` ends the threads.
 * @throws RecommenderError `DEVICE_FAILED` by any kernel once a thread has ended.
 */
export async function openTrainingKernels({ maxBytes, threads = 1 }: { maxBytes?: number; threads?: number } = {}): Promise<TrainingKernels & { close(): Promise<void> }> {
  const size = maxBytes === undefined ? {} : { maxBytes };
  if (threads > 1 && 'WebAssembly' in globalThis) {
    const { openThreadedTrainingKernels } = await import('./wasm/threaded-training.ts');
    return openThreadedTrainingKernels({ ...size, threads });
  }
  return { ...createTrainingKernels(size), close: () => Promise.resolve() };
}
