import { RecommenderError } from '../errors.ts';
import { resultOf } from './requests.ts';
import { DATABASE_VERSION, upgradeShopperDatabase } from './shopper-schema.ts';

// Opening takes some milliseconds. It hangs where an older tab does not let go of its version, and in some browsers'
// private windows; after this long, memory serves the visit better than waiting.
const OPEN_PATIENCE_MS = 4_000;

export interface ShopperConnection {
  /** The open database, opened again where the browser or a newer tab closed it. */
  database(): Promise<IDBDatabase>;
  close(): void;
}

/** Keeps one connection to a database, and lets go of it whenever another tab wants to upgrade or delete it. */
export function createShopperConnection(name: string): ShopperConnection {
  let opened: Promise<IDBDatabase> | undefined;
  let closed = false;

  async function open(): Promise<IDBDatabase> {
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
      const request = indexedDB.open(name, DATABASE_VERSION);
      request.onblocked = () => {
        waitsForOlderTab = true;
      };
      request.onupgradeneeded = ({ oldVersion }) => {
        const transaction = request.transaction!;
        // What fails in it aborts the transaction, which fails the request.
        upgradeShopperDatabase(request.result, oldVersion, transaction).catch(() => transaction.abort());
      };
      const opening = resultOf<IDBDatabase>(request).then((database) => {
        database.onversionchange = () => {
          forget();
          database.close();
        };
        database.onclose = forget;
        // A connection that arrives after its caller gave up would block every later upgrade.
        if (late) database.close();
        return database;
      });
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
