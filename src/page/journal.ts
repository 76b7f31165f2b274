import { uniqueId } from '../lib/unique-id.ts';
import type { TrackedEvent } from '../worker/protocol.ts';

/** Events on their way to the next page: written at once where a worker would not be heard any more. */
export interface Journal {
  /** Keeps exactly these events; none removes what was kept. */
  write(events: readonly TrackedEvent[]): void;
  /** What earlier pages left, by the key to `remove()` once those events are stored. */
  leftByEarlierPages(): ReadonlyMap<string, readonly TrackedEvent[]>;
  remove(key: string): void;
  /** Removes this page's and every earlier page's events of this shopper. */
  clear(): void;
}

/** One key per page, so that two tabs that close together keep both their events. Without localStorage nothing is kept. */
export function createJournal(database: string, partition: string, storage: Storage | null = platformStorage()): Journal {
  const prefix = `shelfwise:${JSON.stringify([database, partition])}:`;
  const ownKey = prefix + uniqueId();
  let written = false;

  function keys(): string[] {
    if (storage === null) return [];
    return Array.from({ length: storage.length }, (_, position) => storage.key(position)).filter(
      (key) => key?.startsWith(prefix) === true,
    ) as string[];
  }

  return {
    write: (events) => {
      if (events.length === 0) {
        if (written) storage?.removeItem(ownKey);
        written = false;
        return;
      }
      try {
        storage?.setItem(ownKey, JSON.stringify(events));
        written = true;
      } catch {
        // The shop has filled localStorage: these events are lost with the page, as they were before there was a journal.
      }
    },
    leftByEarlierPages: () =>
      new Map(
        keys()
          .filter((key) => key !== ownKey)
          .map((key) => [key, parse(storage?.getItem(key))]),
      ),
    remove: (key) => storage?.removeItem(key),
    clear: () => {
      for (const key of keys()) storage?.removeItem(key);
      written = false;
    },
  };
}

/** The event log in the worker checks each event; here it only has to be a list with ids. */
function parse(text: string | null | undefined): TrackedEvent[] {
  try {
    const events: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(events) ? events.filter(isTracked) : [];
  } catch {
    return [];
  }
}

function isTracked(value: unknown): value is TrackedEvent {
  return typeof value === 'object' && value !== null && 'event' in value && 'id' in value && typeof value.id === 'string';
}

/** Null where the shopper's settings forbid it (the getter throws) and outside of a page. */
function platformStorage(): Storage | null {
  try {
    return typeof localStorage === 'undefined' ? null : localStorage;
  } catch {
    return null;
  }
}
