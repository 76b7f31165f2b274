import { uniqueId } from '../lib/unique-id.ts';
import { resultOf, stored } from './requests.ts';
import { createShopperConnection, toStorageError } from './shopper-connection.ts';
import { toShopperExport } from './shopper-export.ts';
import type { StoreName, VectorBlockKey } from './shopper-schema.ts';
import type { BehaviourRow, Checkpoint, NewBehaviourRow, ShopperStore, SlateRecord, VectorBlock } from './shopper-store.ts';
import { createTabChannel } from './tab-channel.ts';
import type { StoreChange, TabChannel } from './tab-channel.ts';
import { joinBlocks } from './vector-blocks.ts';

// Rows per transaction: one commit for many rows, yet short enough that a page that closes loses few.
const TRANSACTION_ROWS = 100;

const STORES: readonly StoreName[] = ['behaviour', 'checkpoints', 'vectors', 'slates', 'meta'];

/**
 * Opens the shopper's database, shared by all tabs of the origin. Writes are durable against a crash of the tab, not
 * of the machine (`relaxed`): each is acknowledged once it is handed to the operating system.
 * @throws RecommenderError `STORAGE_FAILED` where IndexedDB is absent, blocked, full or newer than this code.
 */
export async function openShopperStore(
  name: string,
  { onChange, tabs = createTabChannel(name) }: { onChange?: (change: StoreChange) => void; tabs?: TabChannel } = {},
): Promise<ShopperStore> {
  const connection = createShopperConnection(name);
  try {
    await connection.database();
  } catch (error) {
    tabs.close();
    throw error;
  }
  if (onChange !== undefined) tabs.listen(onChange);

  async function read<T>(stores: readonly StoreName[], work: (transaction: IDBTransaction) => Promise<T>): Promise<T> {
    try {
      return await work((await connection.database()).transaction([...stores], 'readonly'));
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async function write<T>(stores: readonly StoreName[], work: (transaction: IDBTransaction) => Promise<T>): Promise<T> {
    try {
      const transaction = (await connection.database()).transaction([...stores], 'readwrite', { durability: 'relaxed' });
      // Both are awaited at once: a quota error may come when all requests have succeeded.
      const [result] = await Promise.all([work(transaction), stored(transaction)]);
      return result;
    } catch (error) {
      throw toStorageError(error);
    }
  }

  return {
    home: 'indexeddb',
    append: async (rows) => {
      const seqs: number[] = [];
      for (let start = 0; start < rows.length; start += TRANSACTION_ROWS) {
        const part = rows.slice(start, start + TRANSACTION_ROWS);
        seqs.push(...(await write(['behaviour'], (transaction) => appendRows(transaction, part))));
      }
      if (rows.length > 0) tabs.post('appended');
      return seqs;
    },
    readBehaviour: (partition, { after = 0, last = Infinity } = {}) =>
      read(['behaviour'], (transaction) => readRows(transaction, partition, after, last)),
    readCheckpoint: (partition) => read(['checkpoints'], (transaction) => resultOf<Checkpoint | undefined>(transaction.objectStore('checkpoints').get(partition))),
    writeCheckpoint: async (checkpoint) => {
      await write(['checkpoints'], (transaction) => resultOf(transaction.objectStore('checkpoints').put(checkpoint)));
    },
    readVectors: (encoderRevision) =>
      read(['vectors'], (transaction) => resultOf<VectorBlock[]>(transaction.objectStore('vectors').getAll(revisionRange(encoderRevision)))),
    writeVectors: async (block) => {
      const key: VectorBlockKey = [block.encoderRevision, uniqueId(), block.keys.length];
      await write(['vectors'], (transaction) => resultOf(transaction.objectStore('vectors').put(block, key)));
    },
    joinVectors: (encoderRevision) =>
      write(['vectors'], async (transaction) => {
        const store = transaction.objectStore('vectors');
        const range = revisionRange(encoderRevision);
        const blocks = await resultOf<VectorBlock[]>(store.getAll(range));
        if (blocks.length < 2) return;
        const joined = joinBlocks(blocks);
        store.delete(range);
        await resultOf(store.put(joined, [encoderRevision, uniqueId(), joined.keys.length]));
      }),
    logSlate: async (slate) => {
      await write(['slates'], (transaction) => resultOf(transaction.objectStore('slates').put(slate)));
    },
    readSlate: (id) => read(['slates'], (transaction) => resultOf<SlateRecord | undefined>(transaction.objectStore('slates').get(id))),
    readSetting: (key) => read(['meta'], (transaction) => resultOf<unknown>(transaction.objectStore('meta').get(key))),
    writeSetting: async (key, value) => {
      await write(['meta'], (transaction) => resultOf(transaction.objectStore('meta').put(value, key)));
    },
    exportData: (partition) =>
      read(['behaviour', 'slates', 'checkpoints'], async (transaction) => {
        const [behaviour, slates, checkpoint] = await Promise.all([
          readRows(transaction, partition, 0, Infinity),
          resultOf<SlateRecord[]>(transaction.objectStore('slates').index('partition').getAll(wholePartition(partition))),
          resultOf<Checkpoint | undefined>(transaction.objectStore('checkpoints').get(partition)),
        ]);
        return toShopperExport(partition, { behaviour, slates, checkpoint });
      }),
    erase: async () => {
      // Cleared rather than deleted: deleting waits for every other tab to let go, clearing waits for nobody.
      await write(STORES, (transaction) => Promise.all(STORES.map((store) => resultOf(transaction.objectStore(store).clear()))));
      tabs.post('erased');
    },
    sizes: () =>
      read(['behaviour', 'vectors', 'slates'], async (transaction) => {
        const [behaviourRows, blocks, slates] = await Promise.all([
          resultOf<number>(transaction.objectStore('behaviour').count()),
          resultOf<VectorBlockKey[]>(transaction.objectStore('vectors').getAllKeys()),
          resultOf<number>(transaction.objectStore('slates').count()),
        ]);
        return { behaviourRows, vectors: blocks.reduce((count, [, , rows]) => count + rows, 0), slates };
      }),
    onChange: (listener) => tabs.listen(listener),
    close: () => {
      tabs.close();
      connection.close();
      return Promise.resolve();
    },
  };
}

/** Stores each row whose id is not known yet; -> the seq of each, old or new. */
async function appendRows(transaction: IDBTransaction, rows: readonly NewBehaviourRow[]): Promise<number[]> {
  const store = transaction.objectStore('behaviour');
  const known = await Promise.all(rows.map((row) => resultOf<number | undefined>(store.index('id').getKey(row.id))));
  const seqById = new Map<string, Promise<number>>();
  return Promise.all(
    rows.map(({ id, partition, schemaVersion, payload }, position) => {
      const seq = known[position];
      if (seq !== undefined) return Promise.resolve(seq);
      // Field by field: a row of another store comes with a seq, which is not this store's.
      const added = seqById.get(id) ?? resultOf<number>(store.add({ id, partition, schemaVersion, payload }));
      seqById.set(id, added);
      return added;
    }),
  );
}

/**
 * The newest `last` rows of a partition after `after`. getAll() counts from the oldest, and a cursor is 5-8 times
 * slower, so the range grows from its newest end until it holds enough: one read where one shopper owns the log.
 */
async function readRows(transaction: IDBTransaction, partition: string, after: number, last: number): Promise<BehaviourRow[]> {
  const index = transaction.objectStore('behaviour').index('partition');
  const newest = await resultOf<{ readonly primaryKey: number } | null>(index.openKeyCursor(wholePartition(partition), 'prev'));
  if (newest === null || last <= 0) return [];
  for (let span = last; ; span *= 4) {
    const lower = Math.max(after, newest.primaryKey - span);
    const rows = await resultOf<BehaviourRow[]>(index.getAll(IDBKeyRange.bound([partition, lower], [partition, Infinity], true)));
    if (rows.length >= last || lower === after) return rows.slice(Math.max(0, rows.length - last));
  }
}

function revisionRange(encoderRevision: string): IDBKeyRange {
  return IDBKeyRange.bound([encoderRevision], [encoderRevision, []]);
}

function wholePartition(partition: string): IDBKeyRange {
  return IDBKeyRange.bound([partition, -Infinity], [partition, Infinity]);
}
