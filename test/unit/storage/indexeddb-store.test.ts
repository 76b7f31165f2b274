import 'fake-indexeddb/auto';
import { describe, expect, it, vi } from 'vitest';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
import { resultOf } from '../../../src/storage/requests.ts';
import { DATABASE_VERSION } from '../../../src/storage/shopper-schema.ts';
import { describeShopperStore, row } from './store-contract.ts';

let databases = 0;
const newName = (): string => `test-${++databases}`;

describeShopperStore('IndexedDB store', () => openShopperStore(newName()));

describe('IndexedDB store', () => {
  it('still has everything when it is opened again', async () => {
    const name = newName();
    const first = await openShopperStore(name);
    await first.append([row('a')]);
    await first.close();
    const second = await openShopperStore(name);
    expect(await second.append([row('a'), row('b')])).toEqual([1, 2]);
    await second.close();
  });

  it('tells the other tabs, not itself, what changed', async () => {
    const name = newName();
    const here = vi.fn();
    const there = vi.fn();
    const writer = await openShopperStore(name, { onChange: here });
    const reader = await openShopperStore(name, { onChange: there });
    await writer.append([row('a')]);
    await writer.erase();
    await vi.waitFor(() => expect(there.mock.calls).toEqual([['appended'], ['erased']]));
    expect(here).not.toHaveBeenCalled();
    await writer.close();
    await reader.close();
  });

  it('lets go of the database when a newer version wants it, and says so afterwards', async () => {
    const name = newName();
    const store = await openShopperStore(name);
    const newer = await resultOf<IDBDatabase>(indexedDB.open(name, DATABASE_VERSION + 1));
    await expect(store.append([row('a')])).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('reload this page') as string,
    });
    newer.close();
    await store.close();
    await expect(openShopperStore(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('goes on in a new database where the old one was deleted under it', async () => {
    const name = newName();
    const store = await openShopperStore(name);
    await store.append([row('a')]);
    await new Promise((resolve, reject) => {
      const deletion = indexedDB.deleteDatabase(name);
      deletion.onsuccess = resolve;
      deletion.onerror = reject;
    });
    expect(await store.append([row('b')])).toEqual([1]);
    await store.close();
  });

  it('opens 5,000 vectors in one read', async () => {
    const name = newName();
    const writer = await openShopperStore(name);
    const keys = Array.from({ length: 5_000 }, (_, at) => `key ${at}`);
    for (let start = 0; start < keys.length; start += 64) {
      const part = keys.slice(start, start + 64);
      await writer.writeVectors({ encoderRevision: 'e1', columns: 4, keys: part, values: new Int8Array(part.length * 4).fill(start % 100), scales: new Float32Array(part.length) });
    }
    await writer.close();
    const reader = await openShopperStore(name);
    const [transaction, getAll] = [vi.spyOn(IDBDatabase.prototype, 'transaction'), vi.spyOn(IDBObjectStore.prototype, 'getAll')];
    const reads = [getAll, vi.spyOn(IDBObjectStore.prototype, 'get'), vi.spyOn(IDBObjectStore.prototype, 'openCursor')];
    const blocks = await reader.readVectors('e1');
    expect(blocks.flatMap((block) => block.keys).toSorted()).toEqual(keys.toSorted());
    expect(transaction).toHaveBeenCalledTimes(1);
    expect(reads.map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
    vi.restoreAllMocks();
    await reader.close();
  });

  it('reports a used-up quota as STORAGE_FAILED and keeps working', async () => {
    const store = await openShopperStore(newName());
    const full = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(() => {
      throw new DOMException('No space is left.', 'QuotaExceededError');
    });
    await expect(store.append([row('a')])).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining('quota') as string });
    full.mockRestore();
    expect(await store.append([row('a')])).toEqual([1]);
    await store.close();
  });

  it('reports a browser without IndexedDB as STORAGE_FAILED', async () => {
    vi.stubGlobal('indexedDB', undefined);
    await expect(openShopperStore(newName())).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    vi.unstubAllGlobals();
  });
});
