import type { ShopperExport, ShopperStore } from '../storage/shopper-store.ts';
import type { Consent } from '../types.ts';

/** Decides where a shopper's data may live, and moves or drops it when the shopper changes their mind. */
export interface ConsentGate {
  /** What the shopper said last, from the moment they said it. */
  readonly consent: Consent;
  /** Where behaviour goes now; null while consent is `denied`: nothing is tracked, ranked or stored. */
  store(): Promise<ShopperStore | null>;
  /**
   * Resolves when the change is complete.
   * `denied` -> `session`, `granted`: opens memory, or the database with what an earlier visit left there.
   * `session` -> `granted`: this visit's rows and slates move into the database.
   * `granted` -> `session`, `denied`: storing stops; what is stored stays, unread, until eraseData().
   * any -> `denied`: this visit's memory is dropped.
   */
  set(consent: Consent): Promise<void>;
  /** What is kept of the shopper, in memory or in the database: asking for it needs no consent. */
  exportData(): Promise<ShopperExport>;
  /** Removes memory and database whatever the consent; resolves when nothing is left. */
  erase(): Promise<void>;
  close(): Promise<void>;
}

export interface ConsentGateOptions {
  readonly partition: string;
  readonly consent: Consent;
  /** Opens memory or the database; memory in its place where the database is refused. */
  readonly openStore: (consent: 'session' | 'granted') => Promise<ShopperStore>;
}

/** Opens no store before consent allows it, and makes changes take effect in the order in which they were made. */
export function createConsentGate({ partition, consent: initial, openStore }: ConsentGateOptions): ConsentGate {
  let consent = initial;
  // What `open` was opened for; it follows `consent` as soon as the changes before it are complete.
  let applied: Consent = 'denied';
  let open: ShopperStore | null = null;
  let last: Promise<unknown> = Promise.resolve();

  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function apply(to: Consent): Promise<ShopperStore | null> {
    if (applied === to) return open;
    const next = to === 'denied' ? null : await openStore(to);
    if (applied === 'session' && open !== null && next !== null) await moveShopper(open, next, partition);
    await open?.close();
    open = next;
    applied = to;
    return next;
  }

  /** Works on the database, opened for this alone where consent keeps it closed. */
  async function withDatabase<T>(work: (store: ShopperStore) => Promise<T>): Promise<T> {
    if (applied === 'granted' && open !== null) return work(open);
    const database = await openStore('granted');
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }

  return {
    get consent() {
      return consent;
    },
    store: () => inOrder(() => apply(consent)),
    set: async (next) => {
      consent = next;
      await inOrder(() => apply(next));
    },
    exportData: () =>
      inOrder(async () => {
        const stored = await withDatabase((store) => store.exportData(partition));
        if (applied !== 'session' || open === null) return stored;
        const remembered = await open.exportData(partition);
        return {
          ...remembered,
          behaviour: [...stored.behaviour, ...remembered.behaviour],
          slates: [...stored.slates, ...remembered.slates],
          checkpoints: [...stored.checkpoints, ...remembered.checkpoints],
        };
      }),
    erase: () =>
      inOrder(async () => {
        await open?.erase();
        if (applied !== 'granted') await withDatabase((store) => store.erase());
      }),
    close: () =>
      inOrder(async () => {
        await open?.close();
        open = null;
        applied = 'denied';
      }),
  };
}

/** Copies what memory holds of a shopper; ids make it harmless to copy a row twice. Checkpoints stay: their seqs are memory's. */
async function moveShopper(from: ShopperStore, to: ShopperStore, partition: string): Promise<void> {
  const { behaviour, slates } = await from.exportData(partition);
  await to.append(behaviour);
  for (const slate of slates) await to.logSlate(slate);
}
