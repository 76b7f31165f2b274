/**
 * Calls of kernels that the threads which share a memory do together. This file must import nothing: `scripts/build-kernels.mjs`
 * makes the helpers' own module of it, so that neither a bundler nor a loader of TypeScript has to know where it lies.
 */

/** Kernels that a part of the work can be asked of, of `assembly/training.ts`. */
export const TASK_KERNELS = ['matmul', 'lstmForward', 'lstmBackward', 'softmaxCrossEntropy', 'binaryCrossEntropy', 'adamW', 'sumOfSquares', 'scale', 'addBias', 'addColumns'] as const;

type TaskKernel = (typeof TASK_KERNELS)[number];
export type TaskExports = Readonly<Record<TaskKernel, (...addressesAndNumbers: number[]) => number | undefined>>;

/** A call of a kernel; what several threads do at once must write to different places. */
export interface Task {
  readonly kernel: TaskKernel;
  readonly values: readonly number[];
}

const PUBLISHED = 0; // tasks so far; all three wrap around at 2^32, which the ring's length divides
const TAKEN = 1;
const FINISHED = 2;
const FAILED = 3; // 1 after a kernel has thrown
const COUNTER_BYTES = 64;

/** The most tasks at a time. */
export const RING_TASKS = 256;
const SLOT_VALUES = 24; // kernel, result, number of values, values
const FIRST_VALUE = 3;

export const RING_BYTES = COUNTER_BYTES + RING_TASKS * SLOT_VALUES * 8;

/** Looks in vain before a thread sleeps, some 50 µs: waking costs as much, and most steps' next kernel comes sooner. */
const SPINS = 20_000;

/** Tasks in the order in which they were published, taken by whoever is free; all threads see it through the same memory. */
export class TaskRing {
  readonly #counters: Int32Array;
  readonly #slots: Float64Array;

  constructor(buffer: ArrayBufferLike, address: number) {
    this.#counters = new Int32Array(buffer, address, 4);
    this.#slots = new Float64Array(buffer, address + COUNTER_BYTES, RING_TASKS * SLOT_VALUES);
  }

  /** At most `RING_TASKS`, and none before the last ones are finished. */
  publish(tasks: readonly Task[]): void {
    const first = this.#counters[PUBLISHED]!;
    tasks.forEach(({ kernel, values }, at) => {
      const slot = slotOf(first + at);
      this.#slots[slot] = TASK_KERNELS.indexOf(kernel);
      this.#slots[slot + 2] = values.length;
      this.#slots.set(values, slot + FIRST_VALUE);
    });
    Atomics.add(this.#counters, PUBLISHED, tasks.length);
    Atomics.notify(this.#counters, PUBLISHED);
  }

  /** Does the next task that nobody has taken; false where there is none. */
  doOne(kernels: TaskExports): boolean {
    for (;;) {
      const next = Atomics.load(this.#counters, TAKEN);
      if (next === Atomics.load(this.#counters, PUBLISHED)) return false;
      if (Atomics.compareExchange(this.#counters, TAKEN, next, next + 1) !== next) continue;
      const slot = slotOf(next);
      try {
        const values = this.#slots.subarray(slot + FIRST_VALUE, slot + FIRST_VALUE + this.#slots[slot + 2]!);
        this.#slots[slot + 1] = kernels[TASK_KERNELS[this.#slots[slot]!]!](...values) ?? 0;
      } catch {
        Atomics.store(this.#counters, FAILED, 1);
      }
      Atomics.add(this.#counters, FINISHED, 1);
      Atomics.notify(this.#counters, FINISHED);
      return true;
    }
  }

  /** Waits until the tasks that others have taken are finished; false if for `patienceMs` none of them is. */
  join(patienceMs: number): boolean {
    for (;;) {
      const finished = this.#await(FINISHED, (value) => value === this.#counters[PUBLISHED]);
      if (finished === this.#counters[PUBLISHED]) return true;
      if (Atomics.wait(this.#counters, FINISHED, finished, patienceMs) === 'timed-out') return false;
    }
  }

  get failed(): boolean {
    return Atomics.load(this.#counters, FAILED) === 1;
  }

  /** What the kernels gave for the last `count` tasks; 0 for those that give nothing. */
  results(count: number): number[] {
    const first = this.#counters[PUBLISHED]! - count;
    return Array.from({ length: count }, (_, at) => this.#slots[slotOf(first + at) + 1]!);
  }

  /** Does tasks for ever. */
  serve(kernels: TaskExports): never {
    for (;;) {
      while (this.doOne(kernels));
      const idle = this.#counters[TAKEN]!;
      const published = this.#await(PUBLISHED, (value) => value !== idle);
      if (published === idle) Atomics.wait(this.#counters, PUBLISHED, published);
    }
  }

  /** Looks at a counter for a while; returns what it was last. */
  #await(counter: number, isReached: (value: number) => boolean): number {
    let value = Atomics.load(this.#counters, counter);
    for (let spin = 0; spin < SPINS && !isReached(value); spin++) value = Atomics.load(this.#counters, counter);
    return value;
  }
}

const slotOf = (task: number): number => ((task >>> 0) % RING_TASKS) * SLOT_VALUES;

/** What a helper is started with. */
export interface HelperData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly ring: number;
  readonly blocks: number;
}

/** A helper's life. */
export function help({ module, memory, ring, blocks }: HelperData, isReady: () => void): never {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as WebAssembly.Exports & TaskExports & { useBlocks(address: number): number };
  kernels.useBlocks(blocks);
  const tasks = new TaskRing(memory.buffer, ring);
  isReady();
  return tasks.serve(kernels);
}
