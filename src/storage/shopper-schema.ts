import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb';
import type { BehaviourRow, Checkpoint, NewBehaviourRow, SlateRecord, VectorBlock } from './shopper-store.ts';
import { toQuantisedBlock, type FloatBlock } from './vector-blocks.ts';

/** Raised with each change of the stores below; `upgradeShopperDatabase` takes every older version to it. */
export const DATABASE_VERSION = 2;

/** Encoder revision, unique id, rows: one revision is one key range, and vectors are counted without reading any. */
export type VectorBlockKey = [encoderRevision: string, id: string, rows: number];

export interface ShopperDatabase extends DBSchema {
  behaviour: {
    key: number;
    value: BehaviourRow | NewBehaviourRow;
    indexes: { id: string; partition: [string, number] };
  };
  checkpoints: { key: string; value: Checkpoint };
  vectors: { key: VectorBlockKey; value: VectorBlock };
  slates: { key: string; value: SlateRecord; indexes: { partition: [string, number] } };
  meta: { key: string; value: unknown };
}

type Upgrade = IDBPTransaction<ShopperDatabase, StoreNames<ShopperDatabase>[], 'versionchange'>;

/** Takes a database of version `oldVersion` (0: it is new) to this one's. */
export async function upgradeShopperDatabase(database: IDBPDatabase<ShopperDatabase>, oldVersion: number, transaction: Upgrade): Promise<void> {
  if (oldVersion < 1) {
    const behaviour = database.createObjectStore('behaviour', { keyPath: 'seq', autoIncrement: true });
    behaviour.createIndex('id', 'id', { unique: true });
    behaviour.createIndex('partition', ['partition', 'seq']);
    database.createObjectStore('checkpoints', { keyPath: 'partition' });
    database.createObjectStore('vectors');
    database.createObjectStore('slates', { keyPath: 'id' }).createIndex('partition', ['partition', 'time']);
    database.createObjectStore('meta');
  } else if (oldVersion < 2) {
    // Vectors become int8. A state that was reached with the float32 ones is dropped: the log gives it again.
    const vectors = transaction.objectStore('vectors');
    const [keys, blocks] = await Promise.all([vectors.getAllKeys(), vectors.getAll() as Promise<unknown> as Promise<FloatBlock[]>]);
    await Promise.all([transaction.objectStore('checkpoints').clear(), ...blocks.map((block, at) => vectors.put(toQuantisedBlock(block), keys[at]))]);
  }
}
