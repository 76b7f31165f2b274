import type { DBSchema, IDBPDatabase } from 'idb';
import type { BehaviourRow, Checkpoint, NewBehaviourRow, SlateRecord, VectorBlock } from './shopper-store.ts';

/** Raised with each change of the stores below; `upgradeShopperDatabase` takes every older version to it. */
export const DATABASE_VERSION = 1;

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

/** Creates the stores that versions after `oldVersion` added (0: the database is new). */
export function upgradeShopperDatabase(database: IDBPDatabase<ShopperDatabase>, oldVersion: number): void {
  if (oldVersion < 1) {
    const behaviour = database.createObjectStore('behaviour', { keyPath: 'seq', autoIncrement: true });
    behaviour.createIndex('id', 'id', { unique: true });
    behaviour.createIndex('partition', ['partition', 'seq']);
    database.createObjectStore('checkpoints', { keyPath: 'partition' });
    database.createObjectStore('vectors');
    database.createObjectStore('slates', { keyPath: 'id' }).createIndex('partition', ['partition', 'time']);
    database.createObjectStore('meta');
  }
}
