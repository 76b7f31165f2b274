import { openDB } from 'idb';
import type { IDBPDatabase } from 'idb';
import { RecommenderError } from '../errors.ts';
import { DATABASE_VERSION, upgradeShopperDatabase } from './shopper-schema.ts';
import type { ShopperDatabase } from './shopper-schema.ts';

// Opening takes some milliseconds. It hangs where an older tab does not let go of its version, and in some browsers'
// private windows; after this long, memory serves the visit better than waiting.
const OPEN_PATIENCE_MS = 4_000;

export interface ShopperConnection {
  /** The open database, opened again where the browser or a newer tab closed it. */
  database(): Promise<IDBPDatabase<ShopperDatabase>>;
  close(): void;
}

/** Keeps one connection to a database, and lets go of it whenever another tab wants to upgrade or delete it. */
export function createShopperConnection(name: string): ShopperConnection {
  let opened: Promise<IDBPDatabase<ShopperDatabase>> | undefined;
  let closed = false;

  async function open(): Promise<IDBPDatabase<ShopperDatabase>> {
    let waitsForOlderTab = false;
    let late = false;
    const forget = (): void => {
      opened = undefined;
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        late = true;
        const why = waitsForOlderTab ? 'An older tab holds the database; close it.' : 'The browser did not open the database.';
        reject(new RecommenderError('STORAGE_FAILED', why));
      }, OPEN_PATIENCE_MS);
    });
    try {
      const opening = openDB<ShopperDatabase>(name, DATABASE_VERSION, {
        upgrade: (database, oldVersion, _newVersion, transaction) => {
          // What fails in it aborts the transaction, which openDB reports.
          upgradeShopperDatabase(database, oldVersion, transaction).catch(() => transaction.abort());
        },
        blocked: () => {
          waitsForOlderTab = true;
        },
        blocking: (_current, _next, event) => {
          forget();
          if (event.target instanceof IDBDatabase) event.target.close();
        },
        terminated: forget,
      });
      // A connection that arrives after its caller gave up would block every later upgrade.
      void opening.then((database) => late && database.close()).catch(() => undefined);
      return await Promise.race([opening, patience]);
    } catch (error) {
      forget();
      throw toStorageError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    database: () => {
      if (closed) return Promise.reject(new RecommenderError('STORAGE_FAILED', 'The store was closed.'));
      opened ??= open();
      return opened;
    },
    close: () => {
      closed = true;
      // A failed opening has nothing to close, and has already been reported to who asked for it.
      opened?.then((database) => database.close()).catch(() => undefined);
      opened = undefined;
    },
  };
}

/** Any failure of IndexedDB as `STORAGE_FAILED`, with what the reader can do about the usual ones. */
export function toStorageError(error: unknown): RecommenderError {
  if (error instanceof RecommenderError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'QuotaExceededError') return new RecommenderError('STORAGE_FAILED', 'The disk quota is used up.', { cause: error });
  if (name === 'VersionError') {
    return new RecommenderError('STORAGE_FAILED', 'A newer version of the shop has upgraded the database; reload this page.', { cause: error });
  }
  return RecommenderError.from(error, 'STORAGE_FAILED');
}
