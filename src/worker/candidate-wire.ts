import type { Candidate } from '../types.ts';

/** Candidates on their way to the worker: each object crosses once and is named by its number from then on. */
export interface SentCandidates {
  /** Those that the worker does not have yet; they take the numbers from `firstNumber` on. */
  readonly fresh: readonly Candidate[];
  /** 0 starts the numbering anew, and what crossed before is forgotten. */
  readonly firstNumber: number;
  /** The list, by numbers. */
  readonly numbers: Uint32Array;
}

/** Objects kept on either side: some pages' worth of products, with what ranking has found out about each. */
const CAPACITY = 2_000;

/** The page's end: what it sends must not change afterwards. */
export class CandidateSender {
  #numbers = new WeakMap<Candidate, number>();
  #count = 0;

  pack(candidates: readonly Candidate[]): SentCandidates {
    let fresh = candidates.filter((candidate) => !this.#numbers.has(candidate));
    if (this.#count + fresh.length > CAPACITY) {
      this.reset();
      fresh = [...candidates];
    }
    const firstNumber = this.#count;
    for (const candidate of fresh) this.#numbers.set(candidate, this.#count++);
    return { fresh, firstNumber, numbers: Uint32Array.from(candidates, (candidate) => this.#numbers.get(candidate)!) };
  }

  /** Counts on nothing that was sent: for a new worker, or after a message that did not leave. */
  reset(): void {
    this.#numbers = new WeakMap();
    this.#count = 0;
  }
}

/** The worker's end: an object that comes again is the same object, so that what is known of it need not be found out again. */
export class CandidateReceiver {
  #known: Candidate[] = [];

  unpack({ fresh, firstNumber, numbers }: SentCandidates): Candidate[] {
    if (firstNumber === 0) this.#known = [];
    for (const candidate of fresh) this.#known.push(candidate);
    return Array.from(numbers, (number) => this.#known[number]!);
  }
}
