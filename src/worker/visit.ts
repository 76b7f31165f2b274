import type { VectorCache } from '../encoder/vector-cache.ts';
import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';
import type { BehaviourRow, NewBehaviourRow, ShopperStore, SlateRecord } from '../storage/shopper-store.ts';
import { LiveShopper } from './live-shopper.ts';
import type { Models } from './models.ts';

export interface VisitOptions {
  readonly partition: string;
  readonly store: ShopperStore;
  readonly models: Promise<Models>;
  readonly mayWrite: () => boolean;
  readonly report: (error: RecommenderError) => void;
  /** Another tab changed the store. */
  readonly onChange: (change: 'appended' | 'erased') => void;
}

/** The time that the shopper's data lives in one store: from one change of consent, or an erasure, to the next. */
export class Visit {
  readonly store: ShopperStore;
  /** The shopper, once there are models; waiting for it is optional. */
  readonly shopper: Promise<LiveShopper>;
  readonly #report: VisitOptions['report'];
  readonly #writes = new Set<Promise<unknown>>();
  readonly #appends = new Set<Promise<void>>();
  readonly #stopListening: () => void;
  #opening: Promise<LiveShopper> | undefined;
  /** Backed by this visit's store. */
  #vectors: VectorCache | undefined;
  #live: LiveShopper | undefined;
  #isEnded = false;

  constructor({ partition, store, models, mayWrite, report, onChange }: VisitOptions) {
    this.store = store;
    this.#report = report;
    this.#stopListening = store.onChange((change) => {
      if (change === 'appended') this.#live?.refresh();
      onChange(change);
    });
    this.shopper = this.#openShopper({ partition, models, mayWrite });
    this.shopper.catch(() => undefined);
  }

  /** The shopper, where there is one by now. */
  get live(): LiveShopper | undefined {
    return this.#live;
  }

  /** Stores rows, and lets the shopper know of them. */
  append(rows: readonly NewBehaviourRow[]): Promise<void> {
    const appending = this.#append(rows);
    this.#appends.add(appending);
    const forget = (): void => void this.#appends.delete(appending);
    appending.then(forget, forget);
    return appending;
  }

  /** True while rows are on their way into the store. */
  get isAppending(): boolean {
    return this.#appends.size > 0;
  }

  /** Resolves when the rows that are on their way by now are stored and with the shopper, or were refused. */
  async appended(): Promise<void> {
    await Promise.allSettled(this.#appends);
  }

  /** Once the answer has left: no slate waits for its record to be cloned. */
  logSlate(record: SlateRecord): void {
    this.#write(nextTask().then(() => this.store.logSlate(record))).catch((error: unknown) => this.#report(RecommenderError.from(error, 'STORAGE_FAILED')));
  }

  /** Resolves when all that is to be written by now is stored, or was refused. */
  async written(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  /** Resolves when nothing of this visit writes to the store any more. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#stopListening();
    await Promise.allSettled([...this.#writes, this.#opening]);
    await this.#live?.end();
    await this.#vectors?.attach(null);
  }

  async #append(rows: readonly NewBehaviourRow[]): Promise<void> {
    const seqs = await this.#write(this.store.append(rows));
    // A shopper that is being opened reads them from the store.
    this.#live?.add(rows.map((row, at): BehaviourRow => ({ ...row, seq: seqs[at]! })));
  }

  async #openShopper({ partition, models: loading, mayWrite }: Pick<VisitOptions, 'partition' | 'models' | 'mayWrite'>): Promise<LiveShopper> {
    const models = await loading;
    if (this.#isEnded) throw new RecommenderError('ABORTED', 'The visit ended before the models were loaded.');
    this.#opening = this.#open(models, { partition, mayWrite });
    this.#live = await this.#opening;
    // Rows may have been stored while the log was read.
    this.#live.refresh();
    return this.#live;
  }

  async #open(models: Models, { partition, mayWrite }: Pick<VisitOptions, 'partition' | 'mayWrite'>): Promise<LiveShopper> {
    if (this.store.home === 'indexeddb') {
      this.#vectors = models.vectors;
      // What is stored replaces what this tab computed, so that a replay computes with the same bits.
      await models.vectors.attach(this.store);
      models.candidates.clear();
    }
    return LiveShopper.open({ partition, store: this.store, models, mayWrite, report: this.#report });
  }

  #write<T>(writing: Promise<T>): Promise<T> {
    this.#writes.add(writing);
    const forget = (): void => void this.#writes.delete(writing);
    writing.then(forget, forget);
    return writing;
  }
}
