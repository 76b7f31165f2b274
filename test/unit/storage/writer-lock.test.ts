import { describe, expect, it, vi } from 'vitest';
import { createWriterLock } from '../../../src/storage/writer-lock.ts';
import type { LockRequests } from '../../../src/storage/writer-lock.ts';

/** One origin's exclusive locks: granted in order, each held until its callback's promise settles. */
function createLocks(): LockRequests {
  let last: Promise<unknown> = Promise.resolve();
  const request = (_name: string, { signal }: LockOptions, hold: LockGrantedCallback<unknown>): Promise<unknown> => {
    const held = last.then(() => {
      signal?.throwIfAborted();
      return hold({ name: _name, mode: 'exclusive' });
    });
    last = held.catch(() => undefined);
    return held;
  };
  return { request: request as LockRequests['request'] };
}

describe('the writer lock', () => {
  it('has one holder, and passes on when that one lets go', async () => {
    const locks = createLocks();
    const [first, second] = [createWriterLock('shelfwise', locks), createWriterLock('shelfwise', locks)];
    first.acquire();
    first.acquire();
    second.acquire();
    await vi.waitFor(() => expect(first.isWriter()).toBe(true));
    expect(second.isWriter()).toBe(false);
    first.release();
    expect(first.isWriter()).toBe(false);
    await vi.waitFor(() => expect(second.isWriter()).toBe(true));
    first.acquire();
    second.release();
    await vi.waitFor(() => expect(first.isWriter()).toBe(true));
  });

  it('leaves the queue when it is released while it waits', async () => {
    const locks = createLocks();
    const [first, second, third] = [createWriterLock('s', locks), createWriterLock('s', locks), createWriterLock('s', locks)];
    for (const lock of [first, second, third]) lock.acquire();
    await vi.waitFor(() => expect(first.isWriter()).toBe(true));
    second.release();
    first.release();
    await vi.waitFor(() => expect(third.isWriter()).toBe(true));
    expect(second.isWriter()).toBe(false);
  });

  it('lets everybody write where there are no Web Locks, or where they are refused', async () => {
    expect(createWriterLock('s', null).isWriter()).toBe(true);
    const refused: LockRequests = { request: () => Promise.reject(new DOMException('opaque origin', 'SecurityError')) };
    const lock = createWriterLock('s', refused);
    expect(lock.isWriter()).toBe(false);
    lock.acquire();
    await vi.waitFor(() => expect(lock.isWriter()).toBe(true));
  });
});
