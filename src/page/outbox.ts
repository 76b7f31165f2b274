import { RecommenderError } from '../errors.ts';
import { uniqueId } from '../lib/unique-id.ts';
import type { TrackResult } from '../types.ts';
import type { TrackedEvent } from '../worker/protocol.ts';
import type { Journal } from './journal.ts';
import type { PlainEvent } from './plain-fields.ts';

// One message and one transaction of the store.
const BATCH_EVENTS = 100;
// Some 300 bytes each: far under localStorage's 5 MB, should no worker ever start.
const HELD_EVENTS = 1_000;

export interface OutboxOptions {
  readonly send: (events: readonly TrackedEvent[]) => Promise<TrackResult[]>;
  readonly journal: Journal;
  /** Whether a failed batch may be sent again: the worker was restarted, not given up. */
  readonly mayResend: (error: RecommenderError) => boolean;
  readonly onDropped: (error: RecommenderError) => void;
}

/** Holds each event until the worker says that it is stored. */
export interface Outbox {
  add(event: PlainEvent): Promise<TrackResult>;
  /** Sends what waits, now: a request that follows must see the events before it. */
  flush(): void;
  /** Resolves when all that was sent is acknowledged or given up. */
  settled(): Promise<void>;
  /** Sends again what earlier pages could not. */
  takeOver(): void;
  /** Writes what is not acknowledged to the journal: this page may end here. */
  keepForNextPage(): void;
  /** Forgets what waits, here and in the journal; what is with the worker already is the worker's to forget. */
  drop(): void;
}

interface Entry {
  readonly tracked: TrackedEvent;
  readonly settle: (result: TrackResult) => void;
  /** The journal's key that it came from. */
  readonly from: string | undefined;
  sent: boolean;
}

/** Events of one task go together; the same ids are sent again after a restart, so that storing twice keeps one row. */
export function createOutbox({ send, journal, mayResend, onDropped }: OutboxOptions): Outbox {
  const entries = new Map<string, Entry>();
  const sending = new Set<Promise<void>>();
  let scheduled = false;
  let journalled = false;

  function hold(entry: Entry): void {
    entries.set(entry.tracked.id, entry);
    const oldest = entries.keys().next();
    if (entries.size > HELD_EVENTS && oldest.done !== true) finish(entries.get(oldest.value)!, 'dropped');
    schedule();
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  }

  function flush(): void {
    scheduled = false;
    const waiting = [...entries.values()].filter((entry) => !entry.sent);
    for (let start = 0; start < waiting.length; start += BATCH_EVENTS) {
      const batch = sendBatch(waiting.slice(start, start + BATCH_EVENTS));
      sending.add(batch);
      void batch.then(() => sending.delete(batch));
    }
  }

  async function sendBatch(batch: readonly Entry[]): Promise<void> {
    for (const entry of batch) entry.sent = true;
    try {
      const results = await send(batch.map(({ tracked }) => tracked));
      batch.forEach((entry, position) => finish(entry, results[position] ?? 'dropped'));
    } catch (error) {
      giveUp(batch, RecommenderError.from(error));
    }
    if (journalled) keepForNextPage();
  }

  function giveUp(batch: readonly Entry[], error: RecommenderError): void {
    // Those that were dropped meanwhile wait for nothing any more.
    const held = batch.filter((entry) => entries.has(entry.tracked.id));
    if (mayResend(error)) {
      for (const entry of held) entry.sent = false;
      for (const entry of batch) if (entry.sent) entry.settle('dropped');
      schedule();
      return;
    }
    // Without a worker they are still held: for the journal, and through it for the next page's worker.
    const isLost = error.code !== 'WORKER_FAILED' && error.code !== 'CLOSED';
    for (const entry of batch) {
      if (isLost) finish(entry, 'dropped');
      else entry.settle('dropped');
    }
    if (isLost) onDropped(error);
  }

  function finish(entry: Entry, result: TrackResult): void {
    entry.settle(result);
    const { from, tracked } = entry;
    if (!entries.delete(tracked.id) || from === undefined) return;
    if (![...entries.values()].some((other) => other.from === from)) journal.remove(from);
  }

  function keepForNextPage(): void {
    journal.write([...entries.values()].map(({ tracked }) => tracked));
    journalled = entries.size > 0;
  }

  return {
    add: (event) => new Promise((settle) => hold({ tracked: { id: uniqueId(), event }, settle, from: undefined, sent: false })),
    flush,
    settled: async () => {
      while (sending.size > 0) await Promise.all(sending);
    },
    takeOver: () => {
      for (const [from, events] of journal.leftByEarlierPages()) {
        if (events.length === 0) journal.remove(from);
        for (const tracked of events) hold({ tracked, settle: () => undefined, from, sent: false });
      }
    },
    keepForNextPage,
    drop: () => {
      for (const { sent, settle } of entries.values()) if (!sent) settle('dropped');
      entries.clear();
      journal.clear();
      journalled = false;
    },
  };
}
