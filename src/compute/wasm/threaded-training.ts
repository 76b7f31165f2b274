import { Worker } from 'node:worker_threads';
import { RecommenderError } from '../../errors.ts';
import type { TrainingKernels } from '../training-kernels.ts';
import { sharedCrew } from './crew.ts';
import { align, kernelsOn } from './kernels-on-memory.ts';
import { RING_BYTES, TaskRing, type HelperData } from './task-ring.ts';
import { DEFAULT_MAX_BYTES, startKernels } from './training.ts';
import { HELPER_SOURCE } from './training-helper.generated.ts';
import { KERNELS_BASE64 } from './training-kernels-shared.generated.ts';

export interface ThreadedTrainingKernels extends TrainingKernels {
  /** Ends the helping threads; a process that ends needs no such call. */
  close(): Promise<void>;
}

/**
 * `createWasmTrainingKernels()` whose kernels are done by `threads` threads of Node together, with the same bits.
 * @throws RecommenderError `DEVICE_FAILED` also where a thread does not start; later, by any kernel, once a thread has ended or does not answer.
 */
export async function openThreadedTrainingKernels({ maxBytes = DEFAULT_MAX_BYTES, threads }: { maxBytes?: number; threads: number }): Promise<ThreadedTrainingKernels> {
  const { module, memory, kernels } = startKernels(KERNELS_BASE64, { maxBytes, shared: true });
  const ring = align(kernels.blocksEnd());
  let end = align(ring + RING_BYTES);
  let lost: unknown;
  const workers: Worker[] = [];
  const close = async (): Promise<void> => {
    lost ??= new Error('The threads were ended.');
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  const started = Array.from({ length: threads - 1 }, async () => {
    const blocks = end;
    end = align(kernels.useBlocks(blocks));
    const workerData: HelperData = { module, memory, ring, blocks };
    // Without this process's own flags: a helper is plain JavaScript.
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(HELPER_SOURCE)}`), { workerData, execArgv: [] });
    workers.push(worker);
    await new Promise<void>((resolve, reject) => {
      const lose = (cause: unknown): void => {
        lost ??= cause;
        reject(new RecommenderError('DEVICE_FAILED', 'A training thread did not start; train with fewer threads.', { cause }));
      };
      worker.once('message', () => resolve());
      worker.once('error', lose);
      worker.once('exit', (code) => lose(new Error(`It ended with code ${code}.`)));
    });
    worker.unref();
  });
  kernels.useBlocks(end);
  end = align(kernels.blocksEnd());
  try {
    await Promise.all(started);
    if (end > memory.buffer.byteLength) throw new RecommenderError('DEVICE_FAILED', `The memory of ${threads} threads does not fit into ${memory.buffer.byteLength} bytes; raise maxBytes.`);
  } catch (error) {
    await close();
    throw error;
  }
  const crew = sharedCrew(kernels, new TaskRing(memory.buffer, ring), { threads, lost: () => lost });
  return { ...kernelsOn(memory.buffer, { kernels, crew, start: end, name: `wasm-simd-f32, ${threads} threads` }), close };
}
