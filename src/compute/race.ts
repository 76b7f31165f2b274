import { nextTask } from '../lib/next-task.ts';

const ROUNDS = 5;
const BUDGET_MS = 300; // for all rounds; a slow device is judged by fewer
const LEAST_MS = 2; // Workers' clocks tick in tenths of a millisecond: shorter work is repeated up to this.

/**
 * Median milliseconds of each lane's work, measured in turn after one warm-up; null when interrupted, which is asked between
 * any two measurements.
 * @throws what a lane throws.
 */
export async function race(lanes: readonly (() => Promise<void>)[], isInterrupted: () => boolean): Promise<number[] | null> {
  const times = lanes.map((): number[] => []);
  let deadline = Infinity;
  for (let round = 0; round <= ROUNDS && performance.now() < deadline; round++) {
    for (const [lane, work] of lanes.entries()) {
      await nextTask();
      if (isInterrupted()) return null;
      const milliseconds = await timed(work);
      if (round > 0) times[lane]!.push(milliseconds);
    }
    if (round === 0) deadline = performance.now() + BUDGET_MS;
  }
  return times.map(median);
}

/** Milliseconds of one piece of work. */
async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  for (let count = 1; ; count++) {
    await work();
    const milliseconds = performance.now() - start;
    if (milliseconds >= LEAST_MS) return milliseconds / count;
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
