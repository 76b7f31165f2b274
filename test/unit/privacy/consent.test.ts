import 'fake-indexeddb/auto';
import { describe, expect, it, vi } from 'vitest';
import { createConsentGate } from '../../../src/privacy/consent.ts';
import type { ConsentGate } from '../../../src/privacy/consent.ts';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { Consent } from '../../../src/types.ts';
import { row } from '../storage/store-contract.ts';

let databases = 0;

function createGate(consent: Consent, database = `consent-${++databases}`) {
  const openStore = vi.fn((to: 'session' | 'granted') => (to === 'granted' ? openShopperStore(database) : Promise.resolve(createMemoryStore())));
  const gate = createConsentGate({ partition: 'anonymous', consent, openStore });
  return { gate, openStore, database };
}

async function track(gate: ConsentGate, ...ids: string[]): Promise<void> {
  await (await gate.store())?.append(ids.map((id) => row(id)));
}

async function idsIn(gate: ConsentGate): Promise<string[] | null> {
  const store = await gate.store();
  return store && (await store.readBehaviour('anonymous')).map(({ id }) => id);
}

describe('the consent gate', () => {
  it('opens nothing while consent is denied', async () => {
    const { gate, openStore } = createGate('denied');
    expect(await gate.store()).toBeNull();
    await gate.set('denied');
    expect(openStore).not.toHaveBeenCalled();
  });

  it('denied -> granted opens the database with what an earlier visit left', async () => {
    const earlier = createGate('granted');
    await track(earlier.gate, 'a');
    await earlier.gate.close();
    const { gate } = createGate('denied', earlier.database);
    expect(await idsIn(gate)).toBeNull();
    await gate.set('granted');
    expect(gate.consent).toBe('granted');
    expect(await idsIn(gate)).toEqual(['a']);
    await gate.close();
  });

  it('session -> granted moves this visit into the database, behind what is there', async () => {
    const earlier = createGate('granted');
    await track(earlier.gate, 'a');
    await earlier.gate.close();
    const { gate } = createGate('session', earlier.database);
    await track(gate, 'b', 'c');
    await gate.set('granted');
    expect(await idsIn(gate)).toEqual(['a', 'b', 'c']);
    const database = await gate.store();
    expect(database?.home).toBe('indexeddb');
    expect(await database?.sizes()).toEqual({ behaviourRows: 3, vectors: 0, slates: 0 });
    await gate.close();
  });

  it.each(['session', 'denied'] as const)('granted -> %s stops storing and keeps what is stored, unread', async (consent) => {
    const { gate, database } = createGate('granted');
    await track(gate, 'a');
    await gate.set(consent);
    await track(gate, 'b');
    expect(await idsIn(gate)).toEqual(consent === 'session' ? ['b'] : null);
    await gate.close();
    const later = createGate('granted', database);
    expect(await idsIn(later.gate)).toEqual(['a']);
    await later.gate.close();
  });

  it('session -> denied drops the memory of this visit', async () => {
    const { gate } = createGate('session');
    await track(gate, 'a');
    await gate.set('denied');
    await gate.set('session');
    expect(await idsIn(gate)).toEqual([]);
  });

  it.each(['denied', 'session', 'granted'] as const)('exports and erases what is kept, while consent is %s', async (consent) => {
    const { gate } = createGate('granted');
    await track(gate, 'a');
    await gate.set(consent);
    if (consent === 'session') await track(gate, 'b');
    expect((await gate.exportData()).behaviour.map(({ id }) => id)).toEqual(consent === 'session' ? ['a', 'b'] : ['a']);
    await gate.erase();
    expect((await gate.exportData()).behaviour).toEqual([]);
    expect(await idsIn(gate)).toEqual(consent === 'denied' ? null : []);
    await gate.close();
  });

  it('applies changes in order, however fast they come', async () => {
    const { gate } = createGate('denied');
    const changes = (['session', 'granted', 'denied', 'session'] as const).map((consent) => gate.set(consent));
    await Promise.all(changes);
    expect((await gate.store())?.home).toBe('memory');
    await gate.close();
  });

  it('tries again after a store that did not open', async () => {
    const { gate, openStore } = createGate('denied');
    openStore.mockRejectedValueOnce(new Error('refused'));
    await expect(gate.set('granted')).rejects.toThrow('refused');
    expect((await gate.store())?.home).toBe('indexeddb');
    await gate.close();
  });
});
