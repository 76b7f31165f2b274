import { RecommenderError } from '../../errors.ts';
import { RING_TASKS, type Task, type TaskExports, type TaskRing } from './task-ring.ts';

/** Whoever does a kernel's tasks. */
export interface Crew {
  readonly threads: number;
  /** What each task gives; `multiplyAdds` is how long they take together, in multiplications with an addition. */
  run(tasks: readonly Task[], multiplyAdds: number): number[];
}

/** Less is done before another thread has woken up. */
const LEAST_SHARED = 2 ** 18; // some 25 µs
const TASKS_PER_THREAD = 4; // so that a thread that was held up takes fewer
/** A single task takes milliseconds. */
const PATIENCE_MS = 60_000;

/** One thread. */
export function soloCrew(kernels: TaskExports): Crew {
  return { threads: 1, run: (tasks) => tasks.map(({ kernel, values }) => kernels[kernel](...values) ?? 0) };
}

/** This thread and helpers that serve the same ring. `lost` says why a helper is gone, if one is. */
export function sharedCrew(kernels: TaskExports, ring: TaskRing, { threads, lost, patienceMs = PATIENCE_MS }: { threads: number; lost: () => unknown; patienceMs?: number }): Crew {
  const solo = soloCrew(kernels);
  const fail = (detail: string, cause?: unknown): never => {
    throw new RecommenderError('DEVICE_FAILED', `A training thread ${detail}; start again, with --resume or with fewer threads.`, { cause });
  };
  return {
    threads,
    run(tasks, multiplyAdds) {
      if (lost() !== undefined) fail('has ended', lost());
      if (tasks.length === 1 || multiplyAdds < LEAST_SHARED) return solo.run(tasks, multiplyAdds);
      const results: number[] = [];
      for (let from = 0; from < tasks.length; from += RING_TASKS) {
        const some = tasks.slice(from, from + RING_TASKS);
        ring.publish(some);
        while (ring.doOne(kernels));
        if (!ring.join(patienceMs)) fail('does not answer');
        if (ring.failed) fail('has failed');
        results.push(...ring.results(some.length));
      }
      return results;
    },
  };
}

/**
 * Cuts [0, length) into ranges whose starts are multiples of `multiple`: as many as keep `threads` busy with so much work.
 * Kernels give the same bits however they are cut.
 */
export function cut(length: number, { threads }: Crew, multiplyAdds: number, { multiple, perThread = TASKS_PER_THREAD }: { multiple: number; perThread?: number }): { from: number; size: number }[] {
  const parts = threads === 1 ? 1 : Math.min(threads * perThread, Math.ceil(multiplyAdds / LEAST_SHARED));
  return cutEvery(length, Math.max(1, Math.ceil(length / parts / multiple)) * multiple);
}

/** Cuts [0, length) every `size`, whoever works: for what is summed over the ranges. At least one range. */
export function cutEvery(length: number, size: number): { from: number; size: number }[] {
  return Array.from({ length: Math.max(1, Math.ceil(length / size)) }, (_, part) => ({ from: part * size, size: Math.min(size, length - part * size) }));
}
