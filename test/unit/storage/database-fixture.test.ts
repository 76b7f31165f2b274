import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dequantiseRows } from '../../../src/lib/quantised-rows.ts';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
import { DATABASE_VERSION } from '../../../src/storage/shopper-schema.ts';
import { parseRows, readDatabaseRows, writeDatabaseRows } from '../../fixtures/database-rows.ts';

const fixture = (version: number) => parseRows(readFileSync(new URL(`../../fixtures/database-v${version}.json`, import.meta.url), 'utf8'));

describe.each([1, 2])('a database of version %i', (version) => {
  it('opens with everything in it, and goes on', async () => {
    const name = `of-version-${version}`;
    await writeDatabaseRows(name, fixture(version));
    const store = await openShopperStore(name);
    const exported = await store.exportData('anonymous');
    expect(exported.behaviour.map(({ seq, id, payload }) => [seq, id, payload.type])).toEqual([
      [1, '0f6a', 'view'],
      [2, '0f6b', 'search'],
    ]);
    expect(exported.slates.map(({ id }) => id)).toEqual(['s1']);
    // A state that was reached with float32 vectors would not be reached again: the log is replayed instead.
    expect((await store.readCheckpoint('anonymous'))?.state).toEqual(version === 1 ? undefined : Float32Array.of(0.25, -0.5, 1, 0));
    const [block] = await store.readVectors('ddccbbaa33221100');
    expect(block).toMatchObject({ keys: ['k1', 'k2'], columns: 2, values: Int8Array.of(127, 0, 95, 127) });
    const vectors = dequantiseRows(block!);
    [1, 0, 0.6, 0.8].forEach((value, at) => expect(vectors[at]).toBeCloseTo(value, 2));
    expect(await store.readSetting('race')).toEqual({ encode: 'wasm' });
    expect((await store.readBehaviour('second shopper'))[0]?.payload.item).toEqual({ id: '__proto__', tags: ['odd'] });
    const [repeated, next] = await store.append([exported.behaviour[0]!, { ...exported.behaviour[0]!, id: 'new' }]);
    expect([repeated, next]).toEqual([1, 4]);
    await store.close();
  });

  it('has the shape that a new database has, or that an upgrade gives it', async () => {
    const [upgraded, fresh] = [`upgraded-${version}`, `new-${version}`];
    await writeDatabaseRows(upgraded, fixture(version));
    await (await openShopperStore(upgraded)).close();
    await (await openShopperStore(fresh)).close();
    const shapeOf = async (name: string) => (await readDatabaseRows(name)).stores.map((store) => ({ ...store, rows: [] }));
    expect(await shapeOf(upgraded)).toEqual(await shapeOf(fresh));
    expect((await readDatabaseRows(upgraded)).version).toBe(DATABASE_VERSION);
  });
});
