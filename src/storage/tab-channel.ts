/** What another tab did to the shared database. */
export type StoreChange = 'appended' | 'erased';

/** Tells the tabs that share a database of each other's changes. */
export interface TabChannel {
  post(change: StoreChange): void;
  /** Calls back when another tab changed the database; returns its stop. */
  listen(listener: (change: StoreChange) => void): () => void;
  /** Closes the channel while the page is in the back/forward cache: a message to a page there would evict it. */
  pause(): void;
  /** Opens it again, and reports `appended`, as nobody knows what was missed. */
  resume(): void;
  close(): void;
}

/** Without BroadcastChannel, tabs see each other's events when they next read the log. */
export function createTabChannel(database: string): TabChannel {
  const listeners = new Set<(change: StoreChange) => void>();
  const notify = (change: StoreChange): void => {
    for (const listener of listeners) listener(change);
  };

  function open(): BroadcastChannel | undefined {
    if (typeof BroadcastChannel === 'undefined') return undefined;
    const opened = new BroadcastChannel(`shelfwise:${database}`);
    opened.addEventListener('message', ({ data }: MessageEvent<StoreChange>) => notify(data));
    return opened;
  }

  let channel = open();
  let paused = false;
  return {
    post: (change) => {
      if (channel !== undefined) {
        channel.postMessage(change);
        return;
      }
      // Work that was under way when the page was hidden still tells the others.
      const brief = open();
      brief?.postMessage(change);
      brief?.close();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pause: () => {
      paused = true;
      channel?.close();
      channel = undefined;
    },
    resume: () => {
      if (!paused) return;
      paused = false;
      channel = open();
      notify('appended');
    },
    close: () => {
      channel?.close();
      channel = undefined;
      listeners.clear();
    },
  };
}
