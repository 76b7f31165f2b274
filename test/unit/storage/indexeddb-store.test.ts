import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { describe, expect, it, vi } from 'vitest';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
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
    const newer = await openDB(name, 2);
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
