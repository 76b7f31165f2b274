import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
import { DATABASE_VERSION } from '../../../src/storage/shopper-schema.ts';
import { parseRows, readDatabaseRows, writeDatabaseRows } from '../../fixtures/database-rows.ts';

const fixture = (version: number) => parseRows(readFileSync(new URL(`../../fixtures/database-v${version}.json`, import.meta.url), 'utf8'));

describe('a database of version 1', () => {
  it('opens with everything in it, and goes on', async () => {
    await writeDatabaseRows('of-version-1', fixture(1));
    const store = await openShopperStore('of-version-1');
    const exported = await store.exportData('anonymous');
    expect(exported.behaviour.map(({ seq, id, payload }) => [seq, id, payload.type])).toEqual([
      [1, '0f6a', 'view'],
      [2, '0f6b', 'search'],
    ]);
    expect(exported.slates.map(({ id }) => id)).toEqual(['s1']);
    expect((await store.readCheckpoint('anonymous'))?.state).toEqual(Float32Array.of(0.25, -0.5, 1, 0));
    expect((await store.readVectors('ddccbbaa33221100'))[0]?.values).toEqual(Float32Array.of(1, 0, 0.6, 0.8));
    expect(await store.readSetting('race')).toEqual({ encode: 'wasm' });
    expect((await store.readBehaviour('second shopper'))[0]?.payload.item).toEqual({ id: '__proto__', tags: ['odd'] });
    const [repeated, next] = await store.append([exported.behaviour[0]!, { ...exported.behaviour[0]!, id: 'new' }]);
    expect([repeated, next]).toEqual([1, 4]);
    await store.close();
  });

  it('has the shape that a new database has, or that an upgrade gives it', async () => {
    await writeDatabaseRows('upgraded', fixture(1));
    await (await openShopperStore('upgraded')).close();
    await (await openShopperStore('new')).close();
    const shapeOf = async (name: string) => (await readDatabaseRows(name)).stores.map((store) => ({ ...store, rows: [] }));
    expect(await shapeOf('upgraded')).toEqual(await shapeOf('new'));
    expect((await readDatabaseRows('upgraded')).version).toBe(DATABASE_VERSION);
  });
});
