/** Something of a fixed size that is used again and again. */
interface Pooled {
  /** Values that fit. */
  readonly capacity: number;
}

const SMALLEST = 256; // Values; below it all share one size.

/** Powers of two, so that requests of any size soon find what an earlier one left. */
export function bucketFor(size: number): number {
  return Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(Math.max(1, size))));
}

/**
 * Buffers for whatever size comes: the smallest free one that is large enough, else a new one. What the largest request
 * needed serves every smaller one, so memory stops growing with the largest; a pool by exact size (the backend's own) grows with each new size.
 */
export class BufferPool<T extends Pooled> {
  readonly #create: (capacity: number) => T;
  readonly #destroy: (buffer: T) => void;
  readonly #free: T[] = []; // smallest first

  constructor(create: (capacity: number) => T, destroy: (buffer: T) => void) {
    this.#create = create;
    this.#destroy = destroy;
  }

  acquire(size: number): T {
    const at = this.#free.findIndex(({ capacity }) => capacity >= size);
    return at < 0 ? this.#create(bucketFor(size)) : this.#free.splice(at, 1)[0]!;
  }

  release(buffer: T): void {
    const at = this.#free.findIndex(({ capacity }) => capacity >= buffer.capacity);
    this.#free.splice(at < 0 ? this.#free.length : at, 0, buffer);
  }

  /** For a buffer that is not to be used again. */
  discard(buffer: T): void {
    this.#destroy(buffer);
  }

  /** Destroys what is free: after a failure on the GPU one of them may be a buffer that was never allocated. */
  clear(): void {
    for (const buffer of this.#free.splice(0)) this.#destroy(buffer);
  }
}
