/** 8 kB, the share that Node's buffers are cut from. */
const BLOCK_FLOATS = 2_048;

/** Longer results have memory of their own. */
const SHARED_FLOATS = 256;

/**
 * Arrays for what a run gives back. Short ones are parts of one block until that is full: an array's own memory is asked of the
 * system and handed back by the garbage collector, which is a good part of what one more event costs.
 */
export class ResultArrays {
  #block = new Float32Array(BLOCK_FLOATS);
  #used = 0;

  /** A copy of `floats` from `start`, of `size` values; its buffer may hold other results, too. */
  copy(floats: Float32Array, start: number, size: number): Float32Array {
    if (size > SHARED_FLOATS) return floats.slice(start, start + size);
    if (this.#used + size > BLOCK_FLOATS) {
      this.#block = new Float32Array(BLOCK_FLOATS);
      this.#used = 0;
    }
    const result = this.#block.subarray(this.#used, this.#used + size);
    result.set(floats.subarray(start, start + size));
    this.#used += size;
    return result;
  }
}
