import type { ItemEncoder } from '../../../src/encoder/item-encoder.ts';
import { VectorCache } from '../../../src/encoder/vector-cache.ts';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';

const DIMENSIONS = 384;

export interface VectorsReport {
  /** Requests to IndexedDB while the cache was attached, by method. */
  readonly requests: Readonly<Record<string, number>>;
  readonly transactions: number;
  readonly encoded: number;
  readonly known: number;
  /** Sum of all values of all vectors: the same bits give the same sum. */
  readonly checksum: number;
}

declare global {
  interface Window {
    /** Attaches the cache, encodes what is missing of so many titles, and stores it. */
    openVectors: (titles: number) => Promise<VectorsReport>;
  }
}

window.openVectors = async (count) => {
  let encoded = 0;
  const encoder: ItemEncoder = {
    revision: 'aaaaaaaaaaaaaaaa',
    dimensions: DIMENSIONS,
    encode: (texts) => {
      encoded += texts.length;
      return Promise.resolve(Float32Array.from({ length: texts.length * DIMENSIONS }, () => Math.random() - 0.5));
    },
  };
  const titles = Array.from({ length: count }, (_, at) => `product number ${at}`);
  const store = await openShopperStore('vectors-under-test');
  const cache = new VectorCache(encoder);
  const requests: Record<string, number> = {};
  let transactions = 0;
  const restore: (() => void)[] = [];
  const spy = (prototype: object, method: string, onCall: () => void): void => {
    const original: unknown = Reflect.get(prototype, method);
    Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
      onCall();
      return Reflect.apply(original as () => unknown, this, args) as unknown;
    });
    restore.push(() => Reflect.set(prototype, method, original));
  };
  for (const method of ['get', 'getAll', 'getAllKeys', 'getKey', 'openCursor', 'count']) {
    spy(IDBObjectStore.prototype, method, () => (requests[method] = (requests[method] ?? 0) + 1));
  }
  spy(IDBDatabase.prototype, 'transaction', () => transactions++);
  await cache.attach(store);
  for (const undo of restore) undo();
  await cache.enqueue(titles);
  await cache.flush();
  let checksum = 0;
  let known = 0;
  for (const title of titles) {
    const vector = cache.get(title);
    if (!vector) continue;
    known++;
    for (const value of vector) checksum += value;
  }
  await cache.close();
  await store.close();
  return { requests, transactions, encoded, known, checksum };
};
