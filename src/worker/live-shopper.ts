import { PRIORITY } from '../encoder/encoding-queue.ts';
import { itemText } from '../encoder/item-text.ts';
import { RecommenderError } from '../errors.ts';
import { nextTask } from '../lib/next-task.ts';
import type { Shopper } from '../rank/ranker.ts';
import { RECENT_TEXTS, type ShopperEvent } from '../rank/shopper-view.ts';
import type { BehaviourPayload, BehaviourRow, Checkpoint, ShopperStore } from '../storage/shopper-store.ts';
import type { Models } from './models.ts';

export interface LiveShopperOptions {
  readonly partition: string;
  readonly store: ShopperStore;
  readonly models: Pick<Models, 'packRevision' | 'ranker' | 'vectors' | 'indexOf'>;
  /** One tab per database writes checkpoints. */
  readonly mayWrite: () => boolean;
  readonly report: (error: RecommenderError) => void;
}

/** Rows that features look at; the state has seen all of them. */
const FEATURE_ROWS = 2_000;
/** Rows advanced in one task: some milliseconds for items that training has not seen. */
const BATCH_ROWS = 256;
/** A burst of clicks makes one checkpoint; what a closing tab loses is advanced again at the next start. */
const CHECKPOINT_DELAY_MS = 200;
/** Rows of a restored history whose texts u_u may be made of, some of them without a say in it. */
const RESTORED_TEXTS = 4 * RECENT_TEXTS;

/**
 * One shopper, kept up with the log: every row advances the state once, in the order of seq, after its text was encoded.
 * The state and the row that it has seen last are written as a checkpoint, so that a new page goes on from there.
 */
export class LiveShopper {
  readonly #options: LiveShopperOptions;
  #events: ShopperEvent[] = [];
  #state: Float32Array;
  /** What computed the state. */
  #kernel: string | undefined;
  /** Unix seconds of the row that advanced the state last. */
  #lastTime: number | null = null;
  /** seq of the last row in the state, of the last row known, and of the last row in a written checkpoint. */
  #lastSeq = 0;
  #seenSeq = 0;
  #savedSeq = 0;
  #inbox: BehaviourRow[] = [];
  /** Rows at the end of a restored history whose texts may still have no vectors. */
  #unread: BehaviourRow[] = [];
  /** False once a text could not be encoded: the state is good for this visit, but another one must not go on from it. */
  #isFirm = true;
  /** The shopper with the rows that wait, by provisional vectors; good for as long as no row comes or goes. */
  #ahead: { readonly key: string; readonly shopper: Shopper } | undefined;
  /** The store may hold rows that are not in the inbox. */
  #isStale = false;
  #isEnded = false;
  #working: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Goes on from a checkpoint of the same packs and kernel, else from the beginning of the log. */
  static async open(options: LiveShopperOptions): Promise<LiveShopper> {
    const shopper = new LiveShopper(options, await options.models.ranker.initialState());
    await shopper.#restore();
    return shopper;
  }

  private constructor(options: LiveShopperOptions, initialState: Float32Array) {
    this.#options = options;
    this.#state = initialState;
    this.#kernel = options.models.ranker.interest?.kernel;
  }

  /** The shopper after the rows that are in the state by now. */
  get current(): Shopper {
    return { events: this.#events, state: this.#state };
  }

  /**
   * The shopper as a request sees one: rows that wait for their texts are read by provisional vectors where there are any.
   * What comes of that is kept by nobody: the state itself goes on from the encoder's own vectors.
   */
  async now(): Promise<Shopper> {
    const { models } = this.#options;
    if (this.isSettled || !models.vectors.isProvisional) return this.current;
    if (this.#isStale) await this.#readStore();
    const key = `${this.#lastSeq} ${this.#seenSeq} ${this.#unread.length}`;
    if (this.#ahead?.key === key) return this.#ahead.shopper;
    const [rows, state, lastTime, unread] = [[...this.#inbox], this.#state, this.#lastTime, this.#unread];
    const done = this.#events.slice(0, this.#events.length - unread.length);
    await models.vectors.approximate([...unread, ...rows].flatMap(({ payload }) => textOf(payload) ?? []));
    const [old, events] = [unread, rows].map((part) => part.map((row) => this.#toEvent(row, true)));
    const shopper = {
      events: [...done, ...old!, ...events!].slice(-FEATURE_ROWS),
      state: await models.ranker.advance(state, events!.filter((_, at) => advances(rows[at]!.payload)), lastTime),
    };
    this.#ahead = { key, shopper };
    return shopper;
  }

  /** True when every row known is in the state. */
  get isSettled(): boolean {
    return this.#working === null;
  }

  /** Resolves when every row known by now is in the state, or when that failed and was reported. */
  settled(): Promise<void> {
    return this.#working ?? Promise.resolve();
  }

  /** Takes rows that this tab stored. Rows between them and those known, of another tab, are read from the store first. */
  add(rows: readonly BehaviourRow[]): void {
    for (const row of rows) {
      if (row.seq <= this.#seenSeq) continue;
      if (this.#isStale || row.seq !== this.#seenSeq + 1) {
        this.#isStale = true;
        break;
      }
      this.#inbox.push(row);
      this.#seenSeq = row.seq;
    }
    this.#start();
  }

  /** Another tab appended rows. */
  refresh(): void {
    this.#isStale = true;
    this.#start();
  }

  /** Writes the checkpoint that waits, if this tab may. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { partition, store, mayWrite, report } = this.#options;
    if (this.#kernel === undefined || !this.#isFirm || this.#savedSeq === this.#lastSeq || !mayWrite()) return;
    this.#savedSeq = this.#lastSeq;
    const state = this.#state.slice(); // storing an array stores all of its buffer
    const checkpoint: Checkpoint = { partition, ...this.#origin(this.#kernel), lastSeq: this.#lastSeq, state };
    await store.writeCheckpoint(checkpoint).catch((error: unknown) => report(RecommenderError.from(error, 'STORAGE_FAILED')));
  }

  /** Writes the checkpoint, and changes nothing any more. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.flush();
  }

  async #restore(): Promise<void> {
    const { partition, store } = this.#options;
    const [checkpoint, rows] = await Promise.all([store.readCheckpoint(partition), store.readBehaviour(partition, { last: FEATURE_ROWS })]);
    const seen = checkpoint && this.#matches(checkpoint) ? rows.filter(({ seq }) => seq <= checkpoint.lastSeq) : [];
    const mover = seen.findLast(({ payload }) => advances(payload));
    // Only the time of the row before it makes a later row advance the state to the same bits.
    if (checkpoint && seen.at(-1)?.seq === checkpoint.lastSeq && (mover || rows.length < FEATURE_ROWS)) {
      this.#unread = seen.slice(-RESTORED_TEXTS);
      this.#events = seen.map((row) => this.#toEvent(row));
      this.#state = checkpoint.state;
      this.#lastTime = mover ? mover.payload.time / 1000 : null;
      this.#savedSeq = this.#lastSeq = checkpoint.lastSeq;
      this.#inbox = rows.slice(seen.length);
      this.#seenSeq = rows.at(-1)!.seq;
    } else if (rows.length < FEATURE_ROWS) {
      this.#inbox = rows;
      this.#seenSeq = rows.at(-1)?.seq ?? 0;
    } else {
      this.#isStale = true;
    }
    this.#start();
  }

  #matches({ packRevision, encoderRevision, kernel, state }: Checkpoint): boolean {
    if (this.#kernel === undefined || state.length !== this.#state.length) return false;
    const origin = this.#origin(this.#kernel);
    return packRevision === origin.packRevision && encoderRevision === origin.encoderRevision && kernel === origin.kernel;
  }

  #origin(kernel: string): Pick<Checkpoint, 'packRevision' | 'encoderRevision' | 'kernel'> {
    const { packRevision, vectors } = this.#options.models;
    return { packRevision, encoderRevision: vectors.encoderRevision, kernel };
  }

  #start(): void {
    if (this.#isEnded || (!this.#isStale && this.#inbox.length + this.#unread.length === 0)) return;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    try {
      // Not before the caller knows that work has begun.
      await Promise.resolve();
      while (!this.#isEnded && (this.#isStale || this.#inbox.length + this.#unread.length > 0)) {
        if (this.#kernel !== this.#options.models.ranker.interest?.kernel) await this.#startAgain();
        if (this.#unread.length > 0) await this.#readTexts();
        if (this.#isStale) await this.#readStore();
        await this.#advance();
        if (this.#inbox.length > 0) await nextTask();
      }
    } catch (error) {
      // What waits is tried again with the next row.
      if (!this.#isEnded) this.#options.report(RecommenderError.from(error));
    } finally {
      this.#working = null;
    }
  }

  /** Another device serves: its arithmetic does not continue a state, but replays the log. */
  async #startAgain(): Promise<void> {
    const { ranker } = this.#options.models;
    let kernel: string | undefined;
    do {
      kernel = ranker.interest?.kernel;
      this.#state = await ranker.initialState();
    } while (kernel !== ranker.interest?.kernel);
    this.#kernel = kernel;
    this.#events = [];
    this.#inbox = [];
    this.#unread = [];
    this.#isFirm = true;
    this.#lastTime = null;
    this.#lastSeq = this.#seenSeq = this.#savedSeq = 0;
    this.#isStale = true;
  }

  /** u_u of a restored history. */
  async #readTexts(): Promise<void> {
    const rows = this.#unread;
    const isRead = await this.#encodeTexts(rows);
    if (this.#unread !== rows) return;
    this.#events.splice(this.#events.length - rows.length, rows.length, ...rows.map((row) => this.#toEvent(row, !isRead)));
    this.#unread = [];
  }

  async #readStore(): Promise<void> {
    const { partition, store } = this.#options;
    this.#isStale = false;
    try {
      const rows = await store.readBehaviour(partition, { after: this.#seenSeq });
      this.#inbox.push(...rows.filter(({ seq }) => seq > this.#seenSeq));
      this.#seenSeq = Math.max(this.#seenSeq, rows.at(-1)?.seq ?? 0);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  async #advance(): Promise<void> {
    const { ranker } = this.#options.models;
    const rows = this.#inbox.slice(0, BATCH_ROWS);
    this.#isFirm = (await this.#encodeTexts(rows)) && this.#isFirm;
    const events = rows.map((row) => this.#toEvent(row));
    const moving = rows.flatMap((row, at) => (advances(row.payload) ? [events[at]!] : []));
    const state = await ranker.advance(this.#state, moving, this.#lastTime);
    if (this.#isEnded || rows.length === 0 || this.#kernel !== ranker.interest?.kernel) return;
    this.#inbox.splice(0, rows.length);
    this.#state = state;
    this.#lastSeq = rows.at(-1)!.seq;
    this.#lastTime = moving.at(-1)?.time ?? this.#lastTime;
    this.#events.push(...events);
    if (this.#events.length > FEATURE_ROWS) this.#events.splice(0, this.#events.length - FEATURE_ROWS);
    if (this.#options.mayWrite()) this.#timer ??= setTimeout(() => void this.flush(), CHECKPOINT_DELAY_MS);
  }

  /** Texts that the encoder refuses are left out, and false says so: one bad title must not stop the shopper's history. */
  async #encodeTexts(rows: readonly BehaviourRow[]): Promise<boolean> {
    const { models, report } = this.#options;
    const missing = rows.flatMap(({ payload }) => {
      const text = textOf(payload);
      return text === null || models.vectors.get(text) ? [] : [text];
    });
    if (missing.length === 0) return true;
    try {
      await models.vectors.enqueue(missing, { priority: PRIORITY.event });
      return true;
    } catch (error) {
      if (!this.#isEnded) report(RecommenderError.from(error));
      await models.vectors.approximate(missing);
      return false;
    }
  }

  #toEvent({ payload }: BehaviourRow, provisionally = !this.#isFirm): ShopperEvent {
    const { vectors, indexOf, ranker } = this.#options.models;
    const text = textOf(payload);
    const itemId = payload.item === undefined ? null : String(payload.item.id);
    return {
      itemId,
      index: itemId === null ? -1 : indexOf(itemId),
      kind: payload.type,
      time: payload.time / 1000,
      pricePosition: ranker.pricePosition(payload.item?.price),
      text,
      textVector: (text === null ? undefined : (vectors.get(text) ?? (provisionally ? vectors.provisionalOf(text) : undefined))) ?? null,
    };
  }
}

/** What was shown is not what the shopper did. */
function advances({ type }: BehaviourPayload): boolean {
  return type !== 'impression';
}

/** What the shopper saw or typed; null where ranking does not read it. */
function textOf(payload: BehaviourPayload): string | null {
  if (payload.type === 'search') return payload.query ?? null;
  return payload.item && advances(payload) ? itemText(payload.item) : null;
}
