import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';
import type { ItemEncoder } from './item-encoder.ts';

/** A text that waits for its vector; `key` says which texts are the same. */
export interface TextToEncode {
  readonly key: string;
  readonly text: string;
}

interface Job extends TextToEncode {
  priority: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: RecommenderError) => void;
}

/** Texts per call of the encoder: small, so that a more urgent text waits for one batch at most, about 40 ms on WASM. */
const BATCH_TEXTS = 8;

/**
 * Encodes texts in the background, the most urgent first, each once however often it is asked for.
 * @param onEncoded gets each batch's vectors, [batch · dimensions], before those who wait are told.
 */
export class EncodingQueue {
  readonly #encoder: ItemEncoder;
  readonly #onEncoded: (batch: readonly TextToEncode[], vectors: Float32Array) => void;
  /** In order of arrival; a job stays until its batch is done. */
  readonly #jobs = new Map<string, Job>();
  #running = false;
  #pauses = 0;
  #resume: (() => void) | undefined;
  #abort = new AbortController();

  constructor(encoder: ItemEncoder, onEncoded: (batch: readonly TextToEncode[], vectors: Float32Array) => void) {
    this.#encoder = encoder;
    this.#onEncoded = onEncoded;
  }

  /** Texts that have no vector yet. */
  get pending(): number {
    return this.#jobs.size;
  }

  /**
   * Asks for vectors; a text that already waits keeps the higher priority.
   * @returns when all of them are there. It may be ignored: a rejection is not reported as unhandled.
   * @throws RecommenderError what the encoder threw, or the reason given to `drop()`.
   */
  enqueue(texts: readonly TextToEncode[], priority: number): Promise<void> {
    const jobs = texts.map((text) => this.#jobOf(text, priority));
    const done = Promise.all(jobs.map((job) => job.done)).then(() => undefined);
    done.catch(() => undefined);
    if (jobs.length > 0 && !this.#running) void this.#work();
    return done;
  }

  /** Stops before the next batch; returns what lets it go on. Nested pauses all have to end. */
  pause(): () => void {
    this.#pauses++;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#pauses--;
      if (this.#pauses === 0) this.#resume?.();
    };
  }

  /** Gives up all that waits, and what is being encoded now; those who wait get the reason. */
  drop(reason: RecommenderError): void {
    this.#abort.abort(reason);
    this.#abort = new AbortController();
    for (const job of this.#jobs.values()) job.reject(reason);
    this.#jobs.clear();
  }

  #jobOf({ key, text }: TextToEncode, priority: number): Job {
    const waiting = this.#jobs.get(key);
    if (waiting) {
      waiting.priority = Math.max(waiting.priority, priority);
      return waiting;
    }
    const job = createJob(key, text, priority);
    this.#jobs.set(key, job);
    return job;
  }

  async #work(): Promise<void> {
    this.#running = true;
    // All that is asked for in this task is ordered by urgency together.
    await nextTask();
    while (this.#jobs.size > 0) {
      while (this.#pauses > 0) await new Promise<void>((resolve) => (this.#resume = resolve));
      const batch = this.#mostUrgent();
      if (batch.length > 0) await this.#encode(batch);
    }
    this.#running = false;
  }

  #mostUrgent(): Job[] {
    // The sort is stable: equal priorities keep the order of arrival.
    return [...this.#jobs.values()].sort((a, b) => b.priority - a.priority).slice(0, BATCH_TEXTS);
  }

  async #encode(batch: readonly Job[]): Promise<void> {
    const { signal } = this.#abort;
    let failure: RecommenderError | undefined;
    try {
      const texts = batch.map((job) => job.text);
      const vectors = await this.#encoder.encode(texts, { signal });
      if (signal.aborted) return;
      if (vectors.length !== batch.length * this.#encoder.dimensions) {
        throw new RecommenderError('INTERNAL', `The encoder gave ${vectors.length} values for ${batch.length} texts.`);
      }
      this.#onEncoded(batch, vectors);
    } catch (error) {
      failure = RecommenderError.from(error);
    }
    if (signal.aborted) return;
    for (const job of batch) {
      this.#jobs.delete(job.key);
      if (failure) job.reject(failure);
      else job.resolve();
    }
  }
}

function createJob(key: string, text: string, priority: number): Job {
  let resolve: Job['resolve'] = () => undefined;
  let reject: Job['reject'] = () => undefined;
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  return { key, text, priority, done, resolve, reject };
}
