/** A list on its way to another thread: each object crosses once and is named by its number from then on. */
export interface SentOnce<T extends object> {
  /** Those that the other side does not have yet; they take the numbers from `firstNumber` on. */
  readonly fresh: readonly T[];
  /** 0 starts the numbering anew, and what crossed before is forgotten. */
  readonly firstNumber: number;
  /** The list, by numbers. */
  readonly numbers: Uint32Array;
}

/** The sending end: what it sends must not change afterwards. */
export class OnceSender<T extends object> {
  readonly #capacity: number;
  #numbers = new WeakMap<T, number>();
  #count = 0;

  /** @param capacity objects kept on the other side. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  pack(list: readonly T[]): SentOnce<T> {
    let fresh = list.filter((object) => !this.#numbers.has(object));
    if (this.#count + fresh.length > this.#capacity) {
      this.reset();
      fresh = [...list];
    }
    const firstNumber = this.#count;
    for (const object of fresh) this.#numbers.set(object, this.#count++);
    return { fresh, firstNumber, numbers: Uint32Array.from(list, (object) => this.#numbers.get(object)!) };
  }

  /** Counts on nothing that was sent: for a new thread, or after a message that did not leave. */
  reset(): void {
    this.#numbers = new WeakMap();
    this.#count = 0;
  }
}

/** The receiving end: an object that comes again is the same object, so that what is known of it need not be found out again. */
export class OnceReceiver<T extends object> {
  #known: T[] = [];

  unpack({ fresh, firstNumber, numbers }: SentOnce<T>): T[] {
    if (firstNumber === 0) this.#known = [];
    for (const object of fresh) this.#known.push(object);
    return Array.from(numbers, (number) => this.#known[number]!);
  }
}
