import 'fake-indexeddb/auto';
import { describe, expect, it, vi } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { InterestModel } from '../../../src/forecast/interest.ts';
import { uniqueId } from '../../../src/lib/unique-id.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { openShopperStore } from '../../../src/storage/indexeddb-store.ts';
import type { ShopperStore } from '../../../src/storage/shopper-store.ts';
import type { TrackedEvent } from '../../../src/worker/protocol.ts';
import { createCountingEncoder, createEvent, createLastingStore, createShelf, PATIENT, startEngine, type EngineHost, type EngineHostOptions } from '../../helpers/engine-host.ts';
import { createTinyPack } from '../../helpers/tiny-pack.ts';

const GRANTED = { consent: 'granted' } as const;

/** Opens one IndexedDB database for all engines that get it. */
function database(): Pick<EngineHostOptions, 'openStore' | 'options'> & { readonly open: () => Promise<ShopperStore> } {
  const name = `shelfwise-${uniqueId()}`;
  return { open: () => openShopperStore(name), openStore: (consent) => (consent === 'granted' ? openShopperStore(name) : Promise.resolve(createMemoryStore())), options: GRANTED };
}

/** Known items, items and queries that training has not seen, pauses and impressions. */
function history(length: number): TrackedEvent[] {
  const kinds = ['view', 'cart', 'search', 'impression', 'purchase', 'dwell'] as const;
  return Array.from({ length }, (_, at) => createEvent(kinds[at % kinds.length]!, at % 17, { time: 1.7e12 + at * 400_000, query: `mug ${at}` }));
}

async function ranking({ engine }: EngineHost): Promise<unknown> {
  return (await engine.rerank(createShelf(), PATIENT)).ranked;
}

describe('a new page of the same shopper', () => {
  it('goes on from the checkpoint: no text is encoded and no event advanced again', async () => {
    const home = database();
    const first = await startEngine(home);
    expect(await first.engine.track(history(20))).toEqual(new Array(20).fill('stored'));
    const before = await ranking(first);
    await first.engine.close();
    const advance = vi.spyOn(InterestModel.prototype, 'advance');
    const second = await startEngine(home);
    expect(await ranking(second)).toEqual(before);
    // Those of the self-test, at most.
    expect(advance.mock.calls.filter(([, events]) => events.some(({ kind }) => kind === 'dwell'))).toEqual([]);
    expect(second.encoder.texts).toEqual([]);
    advance.mockRestore();
    await second.engine.close();
  });

  it('advances only what came after the checkpoint', async () => {
    const home = database();
    const first = await startEngine(home);
    await first.engine.track(history(20));
    await ranking(first);
    await first.engine.close();
    const reader = await startEngine({ ...home, isWriter: () => false });
    await reader.engine.track([createEvent('cart', 5)]);
    const before = await ranking(reader);
    await reader.engine.close();
    const store = await home.open();
    expect((await store.readCheckpoint('anonymous'))!.lastSeq).toBe(20);
    await store.close();
    const second = await startEngine(home);
    expect(await ranking(second)).toEqual(before);
    await second.engine.close();
  });

  for (const [what, change] of [
    ['packs', { packRevision: 'fedcba9876543210' }],
    ['encoder', { encoderRevision: 'fedcba9876543210' }],
    ['kernel', { kernel: 'wasm/another' }],
    ['row', { lastSeq: 999 }],
    ['size', { state: new Float32Array(3) }],
  ] as const) {
    it(`replays the log to the same bits where the checkpoint is of another ${what}`, async () => {
      const { store, openStore } = createLastingStore();
      const first = await startEngine({ openStore });
      await first.engine.track(history(30));
      const before = await ranking(first);
      await first.engine.close();
      const checkpoint = (await store.readCheckpoint('anonymous'))!;
      await store.writeCheckpoint({ ...checkpoint, state: new Float32Array(checkpoint.state.length).fill(9), ...change });
      const second = await startEngine({ openStore });
      expect(await ranking(second)).toEqual(before);
      await second.engine.track([createEvent('impression', 1)]);
      await ranking(second);
      await second.engine.close();
      expect((await store.readCheckpoint('anonymous'))!).toMatchObject({ ...checkpoint, lastSeq: 31 });
    });
  }

  it('remembers a history longer than what is kept in memory', async () => {
    const { store, openStore } = createLastingStore();
    const first = await startEngine({ openStore });
    await first.engine.track(history(2_300));
    const before = await ranking(first);
    await first.engine.close();
    const restored = await startEngine({ openStore });
    expect(await ranking(restored)).toEqual(before);
    await restored.engine.close();
    const checkpoint = (await store.readCheckpoint('anonymous'))!;
    expect(checkpoint.lastSeq).toBe(2_300);
    await store.writeCheckpoint({ ...checkpoint, kernel: 'another' });
    const replayed = await startEngine({ openStore });
    expect(await ranking(replayed)).toEqual(before);
    await replayed.engine.close();
  });
});

describe.each([
  ['reference', (): Promise<ReturnType<typeof createReferenceDevice>> => Promise.resolve(createReferenceDevice())],
  ['wasm', createWasmDevice],
] as const)('on %s', (name, create) => {
  it('one event at a time and all at once give the same bits', async () => {
    const files = await createTinyPack({ embedding: 24, hidden: 32 });
    const events = history(70);
    const states: Float32Array[] = [];
    for (const step of [1, 7, events.length]) {
      const { store, openStore } = createLastingStore();
      const host = await startEngine({ files, openStore, devices: { [name]: create } });
      for (let at = 0; at < events.length; at += step) {
        await host.engine.track(events.slice(at, at + step));
        await ranking(host);
      }
      await host.engine.close();
      states.push((await store.readCheckpoint('anonymous'))!.state);
    }
    expect(states[1]).toEqual(states[0]);
    expect(states[2]).toEqual(states[0]);
  });
});

describe('consent', () => {
  it('denied: nothing is tracked, ranked, stored or opened', async () => {
    const openStore = vi.fn(() => Promise.resolve(createMemoryStore()));
    const { engine, encoder } = await startEngine({ openStore, options: { consent: 'denied' } });
    expect(await engine.track([createEvent('view', 1)])).toEqual(['dropped']);
    for (const call of [engine.rerank(createShelf(), PATIENT), engine.predictNext(createShelf()), engine.formula(createShelf()[0]!)]) {
      await expect(call).rejects.toMatchObject({ code: 'CONSENT_DENIED' });
    }
    await engine.prefetch(createShelf());
    expect(await engine.status()).toMatchObject({ consent: 'denied', store: { home: 'none', behaviourRows: 0, vectors: 0, slates: 0 } });
    expect(openStore).not.toHaveBeenCalled();
    expect(encoder.texts).toEqual([]);
    await engine.close();
  });

  it('session -> granted: the visit moves into the database, and its order stays', async () => {
    const home = database();
    const host = await startEngine({ ...home, options: { consent: 'session' } });
    await host.engine.track(history(8));
    const before = await ranking(host);
    await host.engine.setConsent('granted');
    expect(await ranking(host)).toEqual(before);
    expect((await host.engine.status()).store).toMatchObject({ home: 'indexeddb', behaviourRows: 8, slates: 2 });
    await host.engine.close();
    const next = await startEngine(home);
    expect(await ranking(next)).toEqual(before);
    await next.engine.close();
  });

  it('granted -> denied -> session: what is stored stays unread', async () => {
    const home = database();
    const host = await startEngine(home);
    const nobody = await ranking(host);
    await host.engine.track(history(8));
    const known = await ranking(host);
    await host.engine.setConsent('denied');
    await expect(host.engine.rerank(createShelf(), PATIENT)).rejects.toMatchObject({ code: 'CONSENT_DENIED' });
    expect(await host.engine.track([createEvent('view', 1)])).toEqual(['dropped']);
    await host.engine.setConsent('session');
    expect(await ranking(host)).toEqual(nobody);
    await host.engine.setConsent('granted');
    expect(await ranking(host)).toEqual(known);
    await host.engine.close();
  });

  it('takes changes in the order in which they were made', async () => {
    const host = await startEngine({ ...database(), options: { consent: 'denied' } });
    const changes = (['granted', 'denied', 'session', 'granted', 'denied'] as const).map((consent) => host.engine.setConsent(consent));
    expect(await host.engine.track([createEvent('view', 1)])).toEqual(['dropped']);
    await Promise.all(changes);
    expect((await host.engine.status()).store.home).toBe('none');
    await host.engine.close();
  });
});

describe('erasing', () => {
  it('leaves nothing in memory, in the database, or of the vectors', async () => {
    const home = database();
    const host = await startEngine(home);
    const nobody = await ranking(host);
    await host.engine.track(history(8));
    await ranking(host);
    await host.engine.eraseData();
    expect((await host.engine.status()).store).toEqual({ home: 'indexeddb', behaviourRows: 0, vectors: 0, slates: 0 });
    expect(await host.engine.exportData()).toMatchObject({ behaviour: [], slates: [], checkpoints: [] });
    const encoded = host.encoder.texts.length;
    expect(await ranking(host)).toEqual(nobody);
    expect(host.encoder.texts.slice(encoded)).toHaveLength(12);
    await host.engine.close();
  });

  it('goes on as for a new shopper', async () => {
    const event = createEvent('cart', 4);
    const [fresh, erased] = [await startEngine(database()), await startEngine(database())];
    await erased.engine.track(history(8));
    await erased.engine.eraseData();
    for (const { engine } of [fresh, erased]) await engine.track([event]);
    expect(await ranking(erased)).toEqual(await ranking(fresh));
    for (const { engine } of [fresh, erased]) await engine.close();
  });

  it('gives up what is being encoded', async () => {
    const encoder = createCountingEncoder({ held: true });
    const host = await startEngine({ ...database(), encoder });
    await host.waitFor('ready');
    await host.engine.track(history(3));
    const erasing = host.engine.eraseData();
    encoder.release();
    await erasing;
    expect((await host.engine.status()).store).toMatchObject({ behaviourRows: 0, vectors: 0 });
    await host.engine.close();
  });
});

describe('two tabs', () => {
  it('share one history: what one stores moves the other', async () => {
    const home = database();
    const [a, b] = [await startEngine(home), await startEngine({ ...home, isWriter: () => false })];
    const before = await ranking(b);
    await a.engine.track([createEvent('cart', 7)]);
    expect(await b.waitFor('changed')).toEqual({ reason: 'appended' });
    const after = await ranking(b);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await ranking(a));
    await b.engine.track([createEvent('view', 2)]);
    expect(await ranking(b)).not.toEqual(after);
    for (const { engine } of [a, b]) await engine.close();
  });

  it('read rows that came in between in the order of the log', async () => {
    const { openStore } = createLastingStore(); // tells no tab of the other
    const [a, b] = [await startEngine({ openStore }), await startEngine({ openStore })];
    await Promise.all([ranking(a), ranking(b)]);
    for (const [at, { engine }] of [a, b, b, a, b].entries()) await engine.track([createEvent('purchase', at)]);
    const one = await ranking(b);
    const { engine } = await startEngine({ openStore });
    expect((await engine.rerank(createShelf(), PATIENT)).ranked).toEqual(one);
    for (const tab of [a.engine, b.engine, engine]) await tab.close();
  });

  it('forget together', async () => {
    const home = database();
    const [a, b] = [await startEngine(home), await startEngine(home)];
    const nobody = await ranking(b);
    await a.engine.track(history(5));
    await b.waitFor('changed');
    expect(await ranking(b)).not.toEqual(nobody);
    await a.engine.eraseData();
    await vi.waitUntil(() => b.events.some(({ type, detail }) => type === 'changed' && detail.reason === 'erased'));
    expect(await ranking(b)).toEqual(nobody);
    for (const { engine } of [a, b]) await engine.close();
  });
});
