import { RecommenderError } from '../errors.ts';

/** What a timer can count to; whoever waits longer waits for the work alone. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface PatienceOptions {
  /** From now; `Infinity` waits for the work, and sets no timer. */
  readonly milliseconds: number;
  /** Each with the error that its abort means. */
  readonly signals: readonly (readonly [signal: AbortSignal | undefined, code: 'ABORTED' | 'CLOSED'])[];
}

/** One request's patience over all that it waits for. Timer and listeners are made when it first has to wait. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #start = performance.now();
  readonly #stops: (() => void)[] = [];
  #interruption: Promise<'late'> | undefined;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** @throws RecommenderError `ABORTED` or `CLOSED` once a signal was aborted. */
  check(): void {
    for (const [signal, code] of this.#options.signals) if (signal?.aborted) throw new RecommenderError(code, undefined, { cause: signal.reason });
  }

  /**
   * What the work gives, or `late` when the time is up before.
   * @throws what the work throws; RecommenderError `ABORTED` or `CLOSED` when a signal is aborted before.
   */
  async until<T>(work: Promise<T>): Promise<T | 'late'> {
    this.check();
    this.#interruption ??= this.#interrupt();
    return Promise.race([work, this.#interruption]);
  }

  /** Lets go of the timer and the signals. */
  end(): void {
    for (const stop of this.#stops) stop();
  }

  #interrupt(): Promise<'late'> {
    const { milliseconds, signals } = this.#options;
    const interruption = new Promise<'late'>((resolve, reject) => {
      const leftMs = Math.max(0, milliseconds - (performance.now() - this.#start));
      if (leftMs <= LONGEST_TIMER_MS) {
        const timer = setTimeout(() => resolve('late'), leftMs);
        this.#stops.push(() => clearTimeout(timer));
      }
      for (const [signal, code] of signals) {
        const stop = (): void => reject(new RecommenderError(code, undefined, { cause: signal?.reason }));
        signal?.addEventListener('abort', stop, { once: true });
        this.#stops.push(() => signal?.removeEventListener('abort', stop));
      }
    });
    // Nobody may be waiting any more when a signal is aborted.
    interruption.catch(() => undefined);
    return interruption;
  }
}
