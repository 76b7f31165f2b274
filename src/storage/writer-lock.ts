/** The right to write model state: held, waited for, or not needed. */
export interface WriterLock {
  /** True while this tab may write model state. */
  isWriter(): boolean;
  /** Queues up for the lock; idempotent. */
  acquire(): void;
  /** Lets go of it, for instance while the page is hidden: a held lock keeps a page out of the back/forward cache. */
  release(): void;
}

export type LockRequests = Pick<LockManager, 'request'>;

/**
 * Chooses one writer of model state among the tabs that share a database, through Web Locks. Behaviour may be appended
 * by every tab. Without Web Locks every tab may write: the later checkpoint wins, and each is valid by itself.
 */
export function createWriterLock(database: string, locks: LockRequests | null = platformLocks()): WriterLock {
  let stop: (() => void) | undefined;
  let isWriter = locks === null;

  return {
    isWriter: () => isWriter,
    acquire: () => {
      if (stop !== undefined || locks === null) return;
      const waiting = new AbortController();
      let letGo: (() => void) | undefined;
      stop = () => {
        waiting.abort();
        letGo?.();
      };
      const hold = (): Promise<void> =>
        new Promise((resolve) => {
          // Granted in the same moment as the wait was given up.
          if (waiting.signal.aborted) resolve();
          else isWriter = true;
          letGo = resolve;
        });
      locks.request(`shelfwise-writer:${database}`, { signal: waiting.signal }, hold).catch(() => {
        // Not our own release: this page may not use locks at all (an opaque origin), and nobody else there can.
        if (!waiting.signal.aborted) isWriter = true;
      });
    },
    release: () => {
      stop?.();
      stop = undefined;
      isWriter = locks === null;
    },
  };
}

/** Null in older browsers and on pages without https, whatever the type library promises. */
function platformLocks(): LockRequests | null {
  return 'locks' in navigator ? navigator.locks : null;
}
