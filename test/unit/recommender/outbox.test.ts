import { describe, expect, it, vi } from 'vitest';
import { RecommenderError } from '../../../src/errors.ts';
import { createJournal } from '../../../src/page/journal.ts';
import { createOutbox } from '../../../src/page/outbox.ts';
import type { TrackResult } from '../../../src/types.ts';
import type { TrackedEvent } from '../../../src/worker/protocol.ts';

const event = (time: number) => ({ type: 'view', item: { id: 'a' }, time }) as const;

/** localStorage of one origin, shared by its pages. */
function createStorage(maxCharacters = Infinity): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    key: (position) => [...values.keys()][position] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => {
      if (value.length > maxCharacters) throw new DOMException('full', 'QuotaExceededError');
      values.set(key, value);
    },
    removeItem: (key) => void values.delete(key),
    clear: () => values.clear(),
  };
}

/** A page whose worker answers when the test says so. */
function openPage(storage: Storage | null, { partition = 'anonymous' } = {}) {
  const sent: { events: readonly TrackedEvent[]; answer: (results: TrackResult[]) => void; fail: (error: Error) => void }[] = [];
  const onDropped = vi.fn();
  let mayResend = false;
  const outbox = createOutbox({
    send: (events) => new Promise((answer, fail) => sent.push({ events, answer, fail })),
    journal: createJournal('shelfwise', partition, storage),
    mayResend: () => mayResend,
    onDropped,
  });
  return {
    outbox,
    sent,
    onDropped,
    ids: () => sent.flatMap(({ events }) => events.map(({ id }) => id)),
    restart: () => {
      mayResend = true;
    },
  };
}

describe('the outbox', () => {
  it('sends at most 100 events in one message', () => {
    const { outbox, sent } = openPage(null);
    for (let time = 0; time < 250; time++) void outbox.add(event(time));
    outbox.flush();
    expect(sent.map(({ events }) => events.length)).toEqual([100, 100, 50]);
  });

  it('holds at most 1,000 events that nobody takes, the newest', async () => {
    const { outbox } = openPage(null);
    const oldest = outbox.add(event(0));
    for (let time = 1; time <= 1_000; time++) void outbox.add(event(time));
    expect(await oldest).toBe('dropped');
  });

  it('hands unacknowledged events to the next page, with the same ids, until they are stored', async () => {
    const storage = createStorage();
    const first = openPage(storage);
    void first.outbox.add(event(1));
    void first.outbox.add(event(2));
    first.outbox.flush();
    first.outbox.keepForNextPage();

    // This one ends before its worker answers, too.
    const second = openPage(storage);
    second.outbox.takeOver();
    second.outbox.flush();
    expect(second.ids()).toEqual(first.ids());

    const third = openPage(storage);
    third.outbox.takeOver();
    third.outbox.flush();
    expect(third.ids()).toEqual(first.ids());
    third.sent[0]?.answer(['stored', 'stored']);
    await vi.waitFor(() => expect(storage.length).toBe(0));
  });

  it('clears the journal on acknowledgement, where the page went on after all', async () => {
    const storage = createStorage();
    const { outbox, sent } = openPage(storage);
    const results = [outbox.add(event(1)), outbox.add(event(2))];
    outbox.flush();
    outbox.keepForNextPage();
    expect(storage.length).toBe(1);
    sent[0]?.answer(['stored', 'stored']);
    expect(await Promise.all(results)).toEqual(['stored', 'stored']);
    await vi.waitFor(() => expect(storage.length).toBe(0));
  });

  it('keeps the journals of two tabs apart, and those of two shoppers', () => {
    const storage = createStorage();
    for (const partition of ['anonymous', 'anonymous', 'another']) {
      const { outbox } = openPage(storage, { partition });
      void outbox.add(event(1));
      outbox.keepForNextPage();
    }
    const next = openPage(storage);
    next.outbox.takeOver();
    next.outbox.flush();
    expect(next.ids()).toHaveLength(2);
    next.outbox.drop();
    expect(storage.length).toBe(1);
  });

  it('forgets what waits when the shopper withdraws or erases', async () => {
    const storage = createStorage();
    const { outbox, sent } = openPage(storage);
    const withWorker = outbox.add(event(1));
    outbox.flush();
    const waiting = outbox.add(event(2));
    outbox.keepForNextPage();
    outbox.drop();
    expect(await waiting).toBe('dropped');
    expect(storage.length).toBe(0);
    sent[0]?.answer(['stored']);
    expect(await withWorker).toBe('stored');
    outbox.flush();
    expect(sent).toHaveLength(1);
    expect(storage.length).toBe(0);
  });

  it('does not send again, after a restart, what was dropped meanwhile', async () => {
    const page = openPage(null);
    const dropped = page.outbox.add(event(1));
    page.outbox.flush();
    page.outbox.drop();
    page.restart();
    page.sent[0]?.fail(new RecommenderError('WORKER_FAILED'));
    expect(await dropped).toBe('dropped');
    page.outbox.flush();
    expect(page.sent).toHaveLength(1);
  });

  it('keeps events for the next page where there is no worker any more', async () => {
    const storage = createStorage();
    const { outbox, sent } = openPage(storage);
    const result = outbox.add(event(1));
    outbox.flush();
    sent[0]?.fail(new RecommenderError('WORKER_FAILED'));
    expect(await result).toBe('dropped');
    outbox.keepForNextPage();
    expect(storage.length).toBe(1);
  });

  it('does without a journal where localStorage is absent, full or spoilt', () => {
    const { outbox } = openPage(null);
    void outbox.add(event(1));
    outbox.keepForNextPage();
    const full = createStorage(10);
    const page = openPage(full);
    void page.outbox.add(event(1));
    page.outbox.keepForNextPage();
    expect(full.length).toBe(0);

    const spoilt = createStorage();
    const prefix = 'shelfwise:["shelfwise","anonymous"]:';
    spoilt.setItem(`${prefix}1`, '{ not JSON');
    spoilt.setItem(`${prefix}2`, '[null, {"id": 5, "event": {}}, {"id": "ok", "event": {"type": "view"}}]');
    spoilt.setItem('of the shop', '[]');
    const next = openPage(spoilt);
    next.outbox.takeOver();
    next.outbox.flush();
    expect(next.ids()).toEqual(['ok']);
    expect(spoilt.getItem('of the shop')).toBe('[]');
    expect(spoilt.length).toBe(2);
  });
});
