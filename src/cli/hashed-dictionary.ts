/**
 * Texts as whole numbers from 0 in order of first appearance, found by a 64-bit hash of the text: a text is decoded once and not once a row.
 * Two texts of one hash would be taken for one; among ten million texts the odds of any such pair are 3 in a million.
 */
export class HashedDictionary {
  /** By code. */
  readonly values: string[] = [];
  #high = new Uint32Array(1 << 9);
  #low = new Uint32Array(1 << 9);
  /** Code + 1, 0 where free; open addressing, at most half full. */
  #slots = new Int32Array(1 << 10);

  /** The text's code, and a new one with `read()` as its text where the hash is new. */
  codeOf(high: number, low: number, read: () => string): number {
    let slot = low & (this.#slots.length - 1);
    for (let held = this.#slots[slot]!; held !== 0; held = this.#slots[slot]!) {
      if (this.#low[held - 1] === low && this.#high[held - 1] === high) return held - 1;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    const code = this.values.push(read()) - 1;
    this.#high[code] = high;
    this.#low[code] = low;
    this.#slots[slot] = code + 1;
    if (this.values.length === this.#high.length) this.#grow();
    return code;
  }

  #grow(): void {
    this.#high = doubled(this.#high);
    this.#low = doubled(this.#low);
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let code = 0; code < this.values.length; code++) {
      let slot = this.#low[code]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = code + 1;
    }
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(array.length * 2);
  longer.set(array);
  return longer;
}
