import { resultOf } from './requests.ts';
import { toQuantisedBlock, type FloatBlock } from './vector-blocks.ts';

/** Raised with each change of the stores below; `upgradeShopperDatabase` takes every older version to it. */
export const DATABASE_VERSION = 2;

/** Encoder revision, unique id, rows: one revision is one key range, and vectors are counted without reading any. */
export type VectorBlockKey = [encoderRevision: string, id: string, rows: number];

export type StoreName = 'behaviour' | 'checkpoints' | 'vectors' | 'slates' | 'meta';

/** Takes a database of version `oldVersion` (0: it is new) to this one's. */
export async function upgradeShopperDatabase(database: IDBDatabase, oldVersion: number, transaction: IDBTransaction): Promise<void> {
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
    const [keys, blocks] = await Promise.all([resultOf<IDBValidKey[]>(vectors.getAllKeys()), resultOf<FloatBlock[]>(vectors.getAll())]);
    const writes = blocks.map((block, at) => vectors.put(toQuantisedBlock(block), keys[at]));
    await Promise.all([transaction.objectStore('checkpoints').clear(), ...writes].map(resultOf));
  }
}
