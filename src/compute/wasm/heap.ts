import { RecommenderError } from '../../errors.ts';
import { PAGE_BYTES } from './instantiate.ts';
import type { Lifetime } from './tensor.ts';

/** Blocks start on cache lines. */
const ALIGNMENT_BYTES = 64;

/** More than this a page should not ask of a phone; addresses stay positive 32-bit integers, too. */
const MAX_PAGES = 1024 * 1024 * 1024 / PAGE_BYTES;

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

interface Block {
  readonly address: number;
  readonly bytes: number;
}

/** Linear memory in blocks: the first free one that is large enough, or the end, which grows: memory that was never written costs nothing. */
export class WasmHeap {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  /** Free blocks by address; neighbours are merged. */
  #free: Block[] = [];
  readonly #used = new Map<number, number>();
  #end = 0;
  #floats = new Float32Array(this.memory.buffer);

  /** Everything below belongs to the module's own data. */
  start(address: number): void {
    this.#end = align(address);
  }

  /** All of memory; not to be kept, since growing detaches it. */
  get floats(): Float32Array {
    if (this.#floats.length === 0) this.#floats = new Float32Array(this.memory.buffer);
    return this.#floats;
  }

  /** @throws RecommenderError `DEVICE_FAILED` when the memory cannot grow. */
  allocate(wanted: number): number {
    const bytes = align(Math.max(wanted, 1));
    const index = this.#free.findIndex((block) => block.bytes >= bytes);
    const block = this.#free[index];
    const address = block?.address ?? this.#extend(bytes);
    if (block) {
      const rest = { address: address + bytes, bytes: block.bytes - bytes };
      this.#free.splice(index, 1, ...(rest.bytes > 0 ? [rest] : []));
    }
    this.#used.set(address, bytes);
    return address;
  }

  free(address: number): void {
    const bytes = this.#used.get(address);
    if (bytes === undefined) return;
    this.#used.delete(address);
    const blocks = [...this.#free, { address, bytes }].sort((a, b) => a.address - b.address);
    this.#free = [];
    for (const block of blocks) {
      const last = this.#free.at(-1);
      if (last && last.address + last.bytes === block.address) {
        this.#free[this.#free.length - 1] = { address: last.address, bytes: last.bytes + block.bytes };
      } else {
        this.#free.push(block);
      }
    }
    // What is free at the end belongs to no block, so that a larger one can begin there.
    const last = this.#free.at(-1);
    if (last && last.address + last.bytes === this.#end) {
      this.#free.pop();
      this.#end = last.address;
    }
  }

  #extend(bytes: number): number {
    const address = this.#end;
    const missing = address + bytes - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.memory.grow(Math.ceil(missing / PAGE_BYTES));
      } catch (cause) {
        throw new RecommenderError('DEVICE_FAILED', `WebAssembly memory cannot grow by ${missing} bytes.`, { cause });
      }
    }
    this.#end = address + bytes;
    return address;
  }
}

/** Room for the activations of a short request, so that most runs never ask for more. */
const FIRST_ARENA_BYTES = 64 * 1024;

/** Memory that lives until `reset()`; once it has seen the largest run it is one block of what that needed and allocates nothing more. */
export class Arena {
  /** Of the tensors that were made here since the last `reset()`. */
  lifetime: Lifetime = { ended: false };
  readonly #heap: WasmHeap;
  #blocks: Block[] = [];
  #next = 0;
  #end = 0;
  /** Bytes that this run has asked for. */
  #wanted = 0;

  constructor(heap: WasmHeap) {
    this.#heap = heap;
  }

  allocate(wanted: number): number {
    const bytes = align(wanted);
    this.#wanted += bytes;
    if (this.#next + bytes > this.#end) this.#add(Math.max(bytes, this.#total(), FIRST_ARENA_BYTES));
    const address = this.#next;
    this.#next += bytes;
    return address;
  }

  reset(): void {
    this.lifetime.ended = true;
    this.lifetime = { ended: false };
    if (this.#blocks.length > 1) {
      for (const { address } of this.#blocks) this.#heap.free(address);
      this.#blocks = [];
      this.#add(this.#wanted);
    }
    this.#wanted = 0;
    this.#next = this.#blocks[0]?.address ?? 0;
  }

  #total(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #add(bytes: number): void {
    const address = this.#heap.allocate(bytes);
    this.#blocks.push({ address, bytes });
    this.#next = address;
    this.#end = address + bytes;
  }
}
