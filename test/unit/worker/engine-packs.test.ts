import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/compute/device.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { ERROR_CODES, RecommenderError } from '../../../src/errors.ts';
import { sha256Hex } from '../../../src/lib/hash.ts';
import { revisionOf } from '../../../src/packs/manifest.ts';
import type { PackFile } from '../../../src/packs/pack.ts';
import { loadModels } from '../../../src/worker/models.ts';
import { createEngine } from '../../../src/worker/engine.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { TrackedEvent } from '../../../src/worker/protocol.ts';
import { createFakeDevice } from '../../helpers/fake-device.ts';
import { createCountingEncoder, createEvent, createLastingStore, createShelf, PATIENT, startEngine, type EngineHost, type EngineHostOptions } from '../../helpers/engine-host.ts';
import { createTinyEncoderPack, withGolden, withStaticTier } from '../../helpers/tiny-encoder-pack.ts';
import { createTinyPack } from '../../helpers/tiny-pack.ts';

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The recommender's pack and the encoder's, each naming the right revision. */
async function createBothPacks({ staticTier = false, defect = 0 } = {}): Promise<Files> {
  const whole = await withGolden(createTinyEncoderPack(), defect);
  const pack = staticTier ? withStaticTier(whole) : whole;
  const contents = [...pack.files].map(([name, bytes]) => [name, Uint8Array.from(bytes)] as const);
  const described: PackFile[] = await Promise.all(contents.map(async ([name, bytes]) => ({ name, bytes: bytes.length, sha256: await sha256Hex(bytes) })));
  const revision = await revisionOf(described);
  const manifest = { ...pack.manifest, files: described, revision };
  return new Map([
    ...(await createTinyPack({ encoderRevision: revision })),
    ['memory:/encoder/pack.json', new TextEncoder().encode(JSON.stringify(manifest))],
    ...contents.map(([name, bytes]) => [`memory:/encoder/${name}`, bytes] as const),
  ]);
}

describe('packs', () => {
  it('loads the encoder that the recommender names', async () => {
    const { engine } = await startEngine({ files: await createBothPacks(), packedEncoder: true });
    expect((await engine.rerank(createShelf(), PATIENT)).complete).toBe(true);
    const { packs, devices } = await engine.status();
    expect(packs.map(({ kind }) => kind)).toEqual(['recommender', 'encoder']);
    expect(devices.encode.device).toBe('reference');
    await engine.close();
  });

  it('without an encoder ranks by identity alone, titles or not, whatever the page says', async () => {
    const { engine } = await startEngine({ files: await createTinyPack({ encoderRevision: null, text: 0 }), packedEncoder: true });
    const { ranked, complete } = await engine.rerank(createShelf(), PATIENT);
    expect(complete).toBe(true);
    expect((await engine.rerank(createShelf(), { ...PATIENT, context: { query: 'mug' } })).ranked).toEqual(ranked);
    await engine.track([createEvent('cart', 3), createEvent('view', 5)]);
    const later = await engine.rerank(createShelf(), PATIENT);
    expect(later.complete).toBe(true);
    expect([...later.ranked.serverPositions]).not.toEqual([...ranked.serverPositions]);
    expect([...later.ranked.scores].every(Number.isFinite)).toBe(true);
    expect((await engine.status()).packs.map(({ kind }) => kind)).toEqual(['recommender']);
    await engine.close();
  });

  it('without an encoder leaves what the pack does not know where the server put it', async () => {
    const { engine } = await startEngine({ files: await createTinyPack({ encoderRevision: null, text: 0 }), packedEncoder: true });
    const shelf = createShelf();
    const { ranked } = await engine.rerank(shelf.with(4, { ...shelf[4]!, id: 'never sold' }), PATIENT);
    expect(ranked.serverPositions[4]).toBe(4);
    expect(ranked.scores.findIndex(Number.isNaN)).toBe(4);
    await engine.close();
  });

  it.each(['memory:/tiny/head.safetensors', 'memory:/tiny/tables.safetensors', 'memory:/encoder/layers.safetensors'])('with a flipped bit in %s: a fallback event, and no order but the server’s', async (address) => {
    const files = await createBothPacks();
    const bytes = files.get(address)!.slice();
    bytes[bytes.length >> 1]! ^= 4;
    const { engine, events, waitFor } = await startEngine({ files: new Map([...files, [address, bytes]]), packedEncoder: true });
    expect(await waitFor('fallback')).toMatchObject({ code: 'PACK_INVALID' });
    await expect(engine.rerank(createShelf(), PATIENT)).rejects.toMatchObject({ code: 'PACK_INVALID' });
    await expect(engine.predictNext(createShelf())).rejects.toMatchObject({ code: 'PACK_INVALID' });
    expect(await engine.track([createEvent('view', 1)])).toEqual(['memory']);
    expect((await engine.status()).devices.score).toMatchObject({ device: 'none', why: expect.stringContaining('SHA-256') as unknown });
    expect(events).toHaveLength(1);
    await engine.close();
  });

  it('refuses a recommender that was trained with another encoder', async () => {
    const { engine, waitFor } = await startEngine({ encoder: createCountingEncoder({ revision: 'fedcba9876543210' }) });
    expect((await waitFor('fallback')).message).toContain('was trained with encoder 0123456789abcdef, not fedcba9876543210');
    await expect(engine.rerank(createShelf(), PATIENT)).rejects.toMatchObject({ code: 'PACK_INVALID' });
    await engine.close();
  });

  it('says when a pack cannot be fetched', async () => {
    const { engine, waitFor } = await startEngine({ files: new Map() });
    expect(await waitFor('fallback')).toMatchObject({ code: 'PACK_UNAVAILABLE' });
    await engine.close();
  });
});

describe('while packs are loading', () => {
  it('stores what is tracked at once, answers WARMING_UP at the deadline, and ranks with all of it later', async () => {
    const files = await createTinyPack();
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const { store, openStore } = createLastingStore();
    const host = await startEngine({ openStore, readBytes: (address) => arrived.then(() => files.get(address)!) });
    expect(await host.engine.track([createEvent('cart', 7)])).toEqual(['memory']);
    expect(await store.readBehaviour('anonymous')).toHaveLength(1);
    await expect(host.engine.rerank(createShelf(), { limit: 12, deadlineMs: 5 })).rejects.toMatchObject({ code: 'WARMING_UP' });
    expect((await host.engine.status()).devices.score).toEqual({ device: 'none', why: ERROR_CODES.WARMING_UP });
    const patient = host.engine.rerank(createShelf(), PATIENT);
    arrive();
    const { ranked } = await patient;
    const other = await startEngine();
    await other.engine.track([createEvent('cart', 7)]);
    expect((await other.engine.rerank(createShelf(), PATIENT)).ranked).toEqual(ranked);
    await Promise.all([host.engine.close(), other.engine.close()]);
  });

  it('closes without waiting for them', async () => {
    const { engine } = await startEngine({
      readBytes: (_address, signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
    });
    const waiting = engine.rerank(createShelf(), PATIENT);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'CLOSED' }), engine.close()]);
  });
});

describe('the static tier', () => {
  /** Both packs, where the encoder's layers arrive when they are let. */
  async function startWithLateLayers(options: Partial<EngineHostOptions> = {}, packs: Parameters<typeof createBothPacks>[0] = {}): Promise<EngineHost & { readonly arrive: (bytes?: Uint8Array) => void }> {
    const files = await createBothPacks({ staticTier: true, ...packs });
    let arrive: (bytes?: Uint8Array) => void = () => undefined;
    const layers = new Promise<Uint8Array>((resolve) => (arrive = (bytes = files.get('memory:/encoder/layers.safetensors')!) => resolve(bytes)));
    const host = await startEngine({
      ...options,
      packedEncoder: true,
      readBytes: (address) => (address.endsWith('layers.safetensors') ? layers : Promise.resolve(files.get(new URL(address).href)!)),
    });
    return Object.assign(host, { arrive });
  }
  const soon = { limit: Infinity, deadlineMs: 5 };
  const unseen = createShelf(24).slice(12).map((candidate, at) => ({ ...candidate, title: ['white mug', 'heart', 'a mug', 'mugs b c'][at % 4]! }));
  const behaviours = (): TrackedEvent[] => [createEvent('cart', 3), createEvent('view', 14, { item: unseen[2]! }), createEvent('search', 0, { query: 'white heart' })];

  it('ranks before the layers are there, and improves when they are', async () => {
    const { engine, arrive, waitFor, events } = await startWithLateLayers();
    const before = await engine.rerank(unseen, { ...soon, deadlineMs: 2_000 });
    expect(before.complete).toBe(false);
    expect(before.ranked.scores).not.toContain(NaN);
    expect((await engine.status()).devices.encode.device).toBe('static');
    await engine.track(behaviours());
    const clicked = await engine.rerank(unseen, soon);
    expect(clicked.ranked).not.toEqual(before.ranked);
    expect(events.filter(({ type }) => type === 'improved')).toEqual([]);
    arrive();
    expect(await waitFor('improved')).toEqual({ slate: before.slate });
    const after = await engine.rerank(unseen, PATIENT);
    expect(after.complete).toBe(true);
    expect(after.ranked).not.toEqual(clicked.ranked);
    expect((await engine.status()).devices.encode.device).toBe('reference');
    await engine.close();
  });

  it('reads what the page says as it reads titles', async () => {
    const { engine, arrive, waitFor } = await startWithLateLayers();
    await engine.rerank(unseen, { ...soon, deadlineMs: 2_000 });
    const context = { query: 'white heart' };
    const [plain, asked] = [await engine.rerank(unseen, soon), await engine.rerank(unseen, { ...soon, context })];
    expect(asked.ranked.scores).not.toEqual(plain.ranked.scores);
    arrive();
    await waitFor('improved');
    expect((await engine.rerank(unseen, { ...PATIENT, context })).complete).toBe(true);
    await engine.close();
  });

  it('leaves no trace in state, checkpoint or stored vectors', async () => {
    const [late, plain] = [createLastingStore(), createLastingStore()];
    const host = await startWithLateLayers({ openStore: late.openStore });
    await host.engine.track(behaviours());
    await host.engine.rerank(unseen, { limit: Infinity, deadlineMs: 2_000, context: { query: 'a mug' } });
    expect(await late.store.readCheckpoint('anonymous')).toBeUndefined();
    expect((await late.store.sizes()).vectors).toBe(0);
    host.arrive();
    const after = await host.engine.rerank(unseen, PATIENT);
    await host.engine.close();
    const other = await startEngine({ files: await createBothPacks({ staticTier: true }), packedEncoder: true, openStore: plain.openStore });
    await other.engine.track(behaviours());
    expect((await other.engine.rerank(unseen, PATIENT)).ranked).toEqual(after.ranked);
    await other.engine.close();
    expect((await late.store.readCheckpoint('anonymous'))?.state).toEqual((await plain.store.readCheckpoint('anonymous'))?.state);
  });

  it('serves for the visit where the layers are damaged or fail their golden vectors; nothing of it is kept', async () => {
    for (const [packs, bytes] of [[{}, new Uint8Array(8)], [{ defect: 0.5 }, undefined]] as const) {
      const { store, openStore } = createLastingStore();
      const { engine, arrive, waitFor, events } = await startWithLateLayers({ openStore }, packs);
      await waitFor('ready');
      arrive(bytes);
      await engine.track(behaviours());
      const { ranked, complete } = await engine.rerank(unseen, PATIENT);
      expect(complete).toBe(false);
      expect(ranked.scores).not.toContain(NaN);
      expect((await waitFor('fallback')).code).toMatch(/PACK_INVALID|DEVICE_FAILED/);
      expect(events.filter(({ type }) => type === 'improved')).toEqual([]);
      await engine.close();
      expect(await store.readCheckpoint('anonymous')).toBeUndefined();
      expect((await store.sizes()).vectors).toBe(0);
    }
  });
});

describe('devices', () => {
  it('leaves a device that answers golden vectors wrongly, says so, and ranks on the next', async () => {
    const wrong = createFakeDevice('wasm');
    const { engine, waitFor, events } = await startEngine({ devices: { wasm: () => Promise.resolve(wrong), reference: () => Promise.resolve(createReferenceDevice()) } });
    expect(await waitFor('ready')).toEqual({ device: 'reference' });
    expect(events).toContainEqual({ type: 'fallback', detail: expect.objectContaining({ code: 'DEVICE_FAILED' }) as unknown });
    expect((await engine.status()).devices.score.why).toContain('wasm failed on golden vector 1');
    await engine.close();
  });

  it('answers the same request on the next device when one fails while it serves, and replays the history there', async () => {
    const sound = createReferenceDevice();
    let isLost = false;
    const failing: Device = {
      ...sound,
      name: 'wasm',
      kernel: 'failing',
      run: (program) => (isLost ? Promise.reject(new RecommenderError('DEVICE_FAILED', 'It was lost.')) : sound.run(program)),
    };
    const { store, openStore } = createLastingStore();
    const { engine, events } = await startEngine({ openStore, devices: { wasm: () => Promise.resolve(failing), reference: () => Promise.resolve(createReferenceDevice()) } });
    await engine.track([createEvent('view', 3)]);
    const before = await engine.rerank(createShelf(), PATIENT);
    isLost = true;
    const after = await engine.rerank(createShelf(), PATIENT);
    expect([before.device, after.device]).toEqual(['wasm', 'reference']);
    expect(after.ranked).toEqual(before.ranked);
    expect((await engine.status()).devices.score).toEqual({ device: 'reference', why: 'reference: wasm failed: It was lost' });
    await engine.track([createEvent('cart', 7)]);
    const { ranked } = await engine.rerank(createShelf(), PATIENT);
    expect(events.map(({ type }) => type)).toEqual(['ready', 'fallback', 'fallback']); // scores, then the cart's sequence
    await engine.close();
    // Both rows, on the device that names the checkpoint.
    const checkpoint = (await store.readCheckpoint('anonymous'))!;
    expect(checkpoint).toMatchObject({ kernel: 'reference/float64-sums', lastSeq: 2 });
    const other = await startEngine();
    await other.engine.track([createEvent('view', 3), createEvent('cart', 7)]);
    expect((await other.engine.rerank(createShelf(), PATIENT)).ranked).toEqual(ranked);
    await other.engine.close();
  });

  it('says so, and keeps storing, when no device is left', async () => {
    const sound = createReferenceDevice();
    let isLost = false;
    const failing: Device = { ...sound, run: (program) => (isLost ? Promise.reject(new RecommenderError('DEVICE_FAILED', 'It was lost.')) : sound.run(program)) };
    const { engine, waitFor } = await startEngine({ devices: { reference: () => Promise.resolve(failing) } });
    await engine.rerank(createShelf(), PATIENT);
    isLost = true;
    expect(await engine.track([createEvent('view', 3)])).toEqual(['memory']);
    expect(await waitFor('fallback')).toMatchObject({ code: 'DEVICE_FAILED' });
    await expect(engine.rerank(createShelf(), PATIENT)).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    expect(await engine.track([createEvent('view', 4)])).toEqual(['memory']);
    expect((await engine.exportData()).behaviour).toHaveLength(2);
    await engine.close();
  });

  it('gives the same order on wasm and reference', async () => {
    const hosts = [await startEngine(), await startEngine({ devices: { wasm: () => createWasmDevice() } })];
    const orders = await Promise.all(
      hosts.map(async ({ engine }) => {
        await engine.track([createEvent('view', 3), createEvent('cart', 7)]);
        const { ranked, device } = await engine.rerank(createShelf(), PATIENT);
        await engine.close();
        return { device, order: [...ranked.serverPositions], scores: [...ranked.scores] };
      }),
    );
    expect(orders.map(({ device }) => device)).toEqual(['reference', 'wasm']);
    expect(orders[1]!.order).toEqual(orders[0]!.order);
    orders[1]!.scores.forEach((score, at) => expect(score).toBeCloseTo(orders[0]!.scores[at]!, 4));
  });
});

describe('models that engines share', () => {
  it('are loaded once, keep no shopper, and outlive each engine', async () => {
    const files = await createTinyPack();
    const encoder = createCountingEncoder();
    const environment = {
      now: () => 0,
      emit: () => undefined,
      openStore: () => Promise.resolve(createMemoryStore()),
      readBytes: (address: string) => Promise.resolve(files.get(address)!),
      ledger: () => [],
      isWriter: () => true,
      devices: { reference: () => Promise.resolve(createReferenceDevice()) },
      encoder: () => Promise.resolve(encoder),
    };
    const options = { pack: 'memory:/tiny/pack.json', device: 'auto', consent: 'session', partition: 'a', database: 'none' } as const;
    const models = loadModels(options, environment, { report: () => undefined });
    const shelf = createShelf();
    const rank = async (partition: string, at: number): Promise<unknown> => {
      const engine = createEngine({ ...options, partition }, environment, { models });
      await engine.track([createEvent('cart', at, { time: -60_000 })]);
      const { ranked } = await engine.rerank(shelf, PATIENT);
      await engine.close();
      return ranked;
    };
    const first = await rank('a', 3);
    expect(await rank('b', 7)).not.toEqual(first);
    expect(await rank('c', 3)).toEqual(first);
    expect(encoder.texts).toHaveLength(12);
    await (await models).dispose();
  });
});
