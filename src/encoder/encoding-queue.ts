import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';
import type { ItemEncoder } from './item-encoder.ts';

/** A text that waits for its vector; `key` says which texts are the same. */
export interface TextToEncode {
  readonly key: string;
  readonly text: string;
}

/** The more urgent first: what the shopper just did, what is to be ranked, and in idle time what may be ranked later. */
export const PRIORITY = { event: 2, candidate: 1, prefetch: 0 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

interface Job extends TextToEncode {
  priority: Priority;
  /** Callers who have not given up. */
  wanted: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: RecommenderError) => void;
}

/** What a slice of texts may take: other work waits for one slice at most, and should not wait for 20 ms. */
const SLICE_MS = 12;
/** Size of a slice before anything was measured: one or two titles. */
const FIRST_SLICE = 64;
/** How much the newest slice says about the next. */
const LEARNING_RATE = 0.3;
/** What a text costs beside its characters, and where an encoder cuts it, in characters. */
const TEXT_OVERHEAD = 10;
const LONGEST_TEXT = 512;
/** Texts of one slice are of like length, for encoders that pad. */
const BUCKET_CHARACTERS = 32;
/** Nobody has asked for anything for so long: time to prefetch. Workers have no requestIdleCallback. */
const IDLE_MS = 50;

/** Encodes texts in the background, in slices sized by what earlier ones took, the most urgent first, each text once however often it is asked for. */
export class EncodingQueue {
  readonly #encoder: ItemEncoder;
  readonly #onEncoded: (slice: readonly TextToEncode[], vectors: Float32Array) => void;
  /** In order of arrival; a job stays until its slice is done. */
  readonly #jobs = new Map<string, Job>();
  #running = false;
  #msPerCharacter: number | undefined;
  #isWarm = false;
  #requests = 0;
  #lastRequest = -Infinity;
  #wake: () => void = () => undefined;
  #abort = new AbortController();

  /** @param onEncoded gets each slice's vectors, [slice · dimensions], before those who wait are told. */
  constructor(encoder: ItemEncoder, onEncoded: (slice: readonly TextToEncode[], vectors: Float32Array) => void) {
    this.#encoder = encoder;
    this.#onEncoded = onEncoded;
  }

  /** Texts that have no vector yet. */
  get pending(): number {
    return this.#jobs.size;
  }

  /**
   * Asks for vectors; a text that already waits keeps the higher priority.
   * @param signal gives up what nobody else waits for.
   * @returns when all of them are there. It may be ignored: a rejection is not reported as unhandled.
   * @throws RecommenderError what the encoder threw, the reason given to `drop()`, or `ABORTED`.
   */
  enqueue(texts: readonly TextToEncode[], priority: Priority, signal?: AbortSignal): Promise<void> {
    const jobs = texts.map((text) => this.#jobOf(text, priority));
    const giveUp = (): void => {
      for (const job of jobs) if (--job.wanted === 0) this.#settle(job, new RecommenderError('ABORTED', undefined, { cause: signal?.reason }));
    };
    const done = Promise.all(jobs.map((job) => job.done)).then(() => undefined);
    void done.catch(() => undefined).then(() => signal?.removeEventListener('abort', giveUp));
    if (signal?.aborted) giveUp();
    else signal?.addEventListener('abort', giveUp, { once: true });
    this.#wake();
    if (jobs.length > 0 && !this.#running) void this.#work();
    return done;
  }

  /** While a request is under way nothing is prefetched; returns its end. */
  beginRequest(): () => void {
    this.#requests++;
    return () => {
      this.#requests--;
      this.#lastRequest = performance.now();
    };
  }

  /** Resolves when neither texts nor requests have kept anybody busy for a while. */
  async idle(): Promise<void> {
    do await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    while (this.#jobs.size > 0 || !this.#isIdle());
  }

  /** Gives up all that waits, and what is being encoded now; those who wait get the reason. */
  drop(reason: RecommenderError): void {
    this.#abort.abort(reason);
    this.#abort = new AbortController();
    for (const job of [...this.#jobs.values()]) this.#settle(job, reason);
    this.#wake();
  }

  #isIdle(): boolean {
    return this.#requests === 0 && performance.now() - this.#lastRequest >= IDLE_MS;
  }

  #jobOf({ key, text }: TextToEncode, priority: Priority): Job {
    const waiting = this.#jobs.get(key);
    if (waiting) {
      if (priority > waiting.priority) waiting.priority = priority;
      waiting.wanted++;
      return waiting;
    }
    const job = createJob(key, text, priority);
    this.#jobs.set(key, job);
    return job;
  }

  #settle(job: Job, failure?: RecommenderError): void {
    // A text that was given up and asked for again since then is another job, and stays.
    if (this.#jobs.get(job.key) !== job) return;
    this.#jobs.delete(job.key);
    if (failure) job.reject(failure);
    else job.resolve();
  }

  async #work(): Promise<void> {
    this.#running = true;
    // All that is asked for in this task is ordered by urgency together.
    await nextTask();
    while (this.#jobs.size > 0) {
      const slice = this.#nextSlice();
      if (slice[0]!.priority > PRIORITY.prefetch || this.#isIdle()) {
        await this.#encode(slice);
        await nextTask();
      } else {
        await this.#wakened(IDLE_MS);
      }
    }
    this.#running = false;
  }

  /** Resolves after a while, or when something is asked for. */
  #wakened(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The most urgent job that came first, and others as urgent and about as long, in order of arrival. */
  #nextSlice(): Job[] {
    let [first] = this.#jobs.values();
    for (const job of this.#jobs.values()) if (job.priority > first!.priority) first = job;
    const { priority, text } = first!;
    let left = this.#msPerCharacter === undefined ? FIRST_SLICE : SLICE_MS / this.#msPerCharacter;
    const slice: Job[] = [];
    for (const job of this.#jobs.values()) {
      if (job.priority !== priority || bucketOf(job.text) !== bucketOf(text)) continue;
      left -= costOf(job.text);
      if (slice.length > 0 && left < 0) break;
      slice.push(job);
    }
    return slice;
  }

  async #encode(slice: readonly Job[]): Promise<void> {
    const { signal } = this.#abort;
    let failure: RecommenderError | undefined;
    try {
      const start = performance.now();
      const vectors = await this.#encoder.encode(slice.map(({ text }) => text), { signal });
      if (signal.aborted) return;
      if (vectors.length !== slice.length * this.#encoder.dimensions) {
        throw new RecommenderError('INTERNAL', `The encoder gave ${vectors.length} values for ${slice.length} texts.`);
      }
      this.#learn(slice, performance.now() - start);
      this.#onEncoded(slice, vectors);
    } catch (error) {
      failure = RecommenderError.from(error);
    }
    if (!signal.aborted) for (const job of slice) this.#settle(job, failure);
  }

  #learn(slice: readonly TextToEncode[], milliseconds: number): void {
    const now = milliseconds / slice.reduce((sum, { text }) => sum + costOf(text), 0);
    // The first slice also waits for weights, compilers and caches.
    if (this.#isWarm) this.#msPerCharacter = (this.#msPerCharacter ?? now) * (1 - LEARNING_RATE) + now * LEARNING_RATE;
    this.#isWarm = true;
  }
}

/** What a text costs the encoder, in characters: known before it is read, and in proportion to its tokens. */
function costOf(text: string): number {
  return TEXT_OVERHEAD + Math.min(LONGEST_TEXT, text.length);
}

function bucketOf(text: string): number {
  return Math.floor(Math.min(LONGEST_TEXT, text.length) / BUCKET_CHARACTERS);
}

function createJob(key: string, text: string, priority: Priority): Job {
  let resolve: Job['resolve'] = () => undefined;
  let reject: Job['reject'] = () => undefined;
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  done.catch(() => undefined);
  return { key, text, priority, wanted: 1, done, resolve, reject };
}
