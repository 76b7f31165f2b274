import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRecommender } from '../../../src/index.ts';
import type { Recommender, RecommenderOptions } from '../../../src/index.ts';
import { RecommenderError } from '../../../src/errors.ts';
import type { Candidate } from '../../../src/types.ts';
import type { Engine, TrackedEvent } from '../../../src/worker/protocol.ts';
import { answerWith, createTestEngine, EngineWorker } from '../../helpers/engine-worker.ts';
import type { EngineWorkerOptions } from '../../helpers/engine-worker.ts';

const NEVER = new Promise<never>(() => undefined);
const RINGS = [{ id: 1, title: 'one' }, { id: 2, title: 'two' }, { id: 3, title: 'three' }];
const open: Recommender[] = [];

function setUp({ workers = [], ...options }: { workers?: EngineWorkerOptions[] } & Partial<RecommenderOptions> = {}) {
  const made: EngineWorker[] = [];
  const recommender = createRecommender({
    pack: 'https://shop/pack.json',
    consent: 'granted',
    deadlineMs: Infinity,
    worker: () => {
      const worker = new EngineWorker(workers[made.length] ?? {});
      made.push(worker);
      return worker;
    },
    ...options,
  });
  open.push(recommender);
  const fallbacks: string[] = [];
  recommender.on('fallback', ({ code }) => fallbacks.push(code));
  return { recommender, made, fallbacks };
}

const withEngine = (engine: Partial<Engine>): EngineWorkerOptions => ({ engine: () => createTestEngine(engine) });

afterEach(async () => {
  vi.useRealTimers();
  for (const recommender of open.splice(0)) await recommender.close();
});

describe('rerank', () => {
  it('hands back the caller’s own objects in the device’s order', async () => {
    const { recommender } = setUp();
    const slate = await recommender.rerank(RINGS, { limit: 2 });
    expect(slate).toMatchObject({ id: 'slate', ranker: 'device', complete: true });
    expect(slate.items).toEqual([
      { item: RINGS[2], position: 0, serverPosition: 2, score: 3 },
      { item: RINGS[1], position: 1, serverPosition: 1, score: 2 },
    ]);
    expect(slate.items[0]?.item).toBe(RINGS[2]);
  });

  it.each([
    [2.9, 2],
    [0, 0],
    [-1, 3],
    [NaN, 3],
    [7, 3],
  ])('reads a limit of %d as %d', async (limit, items) => {
    const { recommender } = setUp();
    expect((await recommender.rerank(RINGS, { limit })).items).toHaveLength(items);
  });

  it('sends the mapped fields alone, as plain data', async () => {
    const rerank = vi.fn((candidates: readonly Candidate[]) => Promise.resolve(answerWith(candidates.map((_, index) => index))));
    const { recommender } = setUp({ workers: [withEngine({ rerank })], fields: { id: 'objectID', title: 'name', score: 'relevance' } });
    const product = {
      objectID: 7,
      name: 'Mug',
      relevance: NaN,
      price: 2.5,
      secret: 'of the shop',
      open: () => 'never called',
      get description(): string {
        throw new Error('a getter of the shop');
      },
      tags: ['red', () => 'x'],
      demand: { measure: 'sales', asOf: 1, stepDays: 7, values: [1, NaN, null] },
      vector: { encoderRevision: 'e', scale: 0.5, values: [1, -2] },
    };
    const context = {
      query: 'mug',
      page: 3,
      get referrerCategory(): string {
        throw new Error('a getter of the shop');
      },
      time: NaN,
    };
    await recommender.rerank([product], { context: context as never });
    expect(rerank.mock.calls[0]?.[0]).toEqual([
      {
        id: '7',
        title: 'Mug',
        price: 2.5,
        tags: ['red'],
        demand: { measure: 'sales', asOf: 1, stepDays: 7, values: [1, null, null] },
        vector: { encoderRevision: 'e', scale: 0.5, values: Int8Array.of(1, -2) },
      },
    ]);
    expect(rerank.mock.lastCall).toContainEqual({ limit: 1, deadlineMs: Infinity, context: { query: 'mug' } });
  });

  it('keeps the server’s order without consent, and starts no worker', async () => {
    const { recommender, made, fallbacks } = setUp({ consent: 'denied' });
    const slate = await recommender.rerank(RINGS, { limit: 2 });
    expect(slate.items.map(({ item }) => item)).toEqual(RINGS.slice(0, 2));
    expect(slate).toMatchObject({ ranker: 'server', fallback: { code: 'CONSENT_DENIED' } });
    expect(await recommender.track({ type: 'view', item: RINGS[0]! })).toBe('dropped');
    expect(await recommender.predictNext(RINGS)).toEqual([]);
    expect(await recommender.formula(RINGS[0]!)).toBeNull();
    expect((await recommender.status()).store.home).toBe('none');
    expect(fallbacks).toEqual(['CONSENT_DENIED', 'CONSENT_DENIED', 'CONSENT_DENIED']);
    expect(made).toEqual([]);
  });

  it.each([
    [true, 'DEADLINE'],
    [false, 'WARMING_UP'],
  ])('keeps the server’s order at the deadline (ready: %s)', async (ready, code) => {
    const aborted = vi.fn();
    const rerank: Engine['rerank'] = (_candidates, _options, signal) => {
      signal?.addEventListener('abort', aborted);
      return NEVER;
    };
    const { recommender, fallbacks } = setUp({ workers: [{ ...withEngine({ rerank }), ready }] });
    await recommender.status();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const slate = recommender.rerank(RINGS, { deadlineMs: 10 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await slate).toMatchObject({ ranker: 'server', fallback: { code }, complete: false });
    expect(fallbacks).toEqual([code]);
    vi.useRealTimers();
    await vi.waitFor(() => expect(aborted).toHaveBeenCalledOnce());
  });

  it('keeps the server’s order, with the reason, when the engine fails or the worker dies', async () => {
    const rerank: Engine['rerank'] = () => Promise.reject(new RecommenderError('PACK_INVALID'));
    const { recommender, made, fallbacks } = setUp({ workers: [withEngine({ rerank }), withEngine({ rerank: () => NEVER })] });
    expect(await recommender.rerank(RINGS)).toMatchObject({ ranker: 'server', fallback: { code: 'PACK_INVALID' } });
    made[0]?.dispatchEvent(new Event('error'));
    const slate = recommender.rerank(RINGS);
    made[1]?.dispatchEvent(new Event('error'));
    expect(await slate).toMatchObject({ ranker: 'server', fallback: { code: 'WORKER_FAILED' } });
    expect(await recommender.rerank(RINGS)).toMatchObject({ ranker: 'server', fallback: { code: 'WORKER_FAILED' } });
    expect(fallbacks).toEqual(['PACK_INVALID', 'WORKER_FAILED', 'WORKER_FAILED', 'WORKER_FAILED', 'WORKER_FAILED']);
    expect(made).toHaveLength(2);
  });

  it('answers bad input without the engine', async () => {
    const { recommender, fallbacks } = setUp();
    const shopScript: { rerank(candidates: unknown): Promise<unknown> } = { rerank: (candidates) => recommender.rerank(candidates as object[]) };
    expect(await shopScript.rerank(undefined)).toMatchObject({ items: [], fallback: { code: 'INVALID_CANDIDATES' } });
    expect(await shopScript.rerank([{ title: 'no id' }, null])).toMatchObject({ items: [{}, {}], fallback: { code: 'INVALID_CANDIDATES' } });
    expect(await recommender.rerank([])).toMatchObject({ items: [], ranker: 'device', complete: true });
    expect(fallbacks).toEqual(['INVALID_CANDIDATES', 'INVALID_CANDIDATES']);
  });

  it('rejects with the caller’s reason, and with CLOSED after close()', async () => {
    const { recommender } = setUp({ workers: [withEngine({ rerank: () => NEVER })] });
    await expect(recommender.rerank(RINGS, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    const stop = new AbortController();
    const slate = recommender.rerank(RINGS, { signal: stop.signal });
    stop.abort('changed my mind');
    await expect(slate).rejects.toBe('changed my mind');
    const pending = expect(recommender.rerank(RINGS)).rejects.toMatchObject({ code: 'CLOSED' });
    await recommender.close();
    await pending;
    await expect(recommender.rerank(RINGS)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(recommender.track({ type: 'view', item: RINGS[0]! })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(recommender.predictNext(RINGS)).rejects.toMatchObject({ code: 'CLOSED' });
    await recommender.setConsent('denied');
    await recommender.close();
  });
});

describe('track', () => {
  it('sends the events of one task together, and before the request that follows', async () => {
    const calls: string[] = [];
    const { recommender } = setUp({
      workers: [
        withEngine({
          track: (events) => {
            calls.push(`track ${events.length}`);
            return Promise.resolve(events.map(() => 'stored'));
          },
          rerank: (candidates) => {
            calls.push('rerank');
            return Promise.resolve(answerWith(candidates.map((_, index) => index)));
          },
        }),
      ],
      now: () => 42,
    });
    const stored = [recommender.track({ type: 'view', item: RINGS[0]! }), recommender.track({ type: 'cart', item: RINGS[0]! })];
    await recommender.rerank(RINGS);
    void recommender.track({ type: 'view', item: RINGS[1]! });
    expect(await Promise.all(stored)).toEqual(['stored', 'stored']);
    await recommender.status();
    expect(calls).toEqual(['track 2', 'rerank', 'track 1']);
  });

  it('sends unacknowledged events again, with the same ids, to the restarted worker', async () => {
    const received: (readonly TrackedEvent[])[] = [];
    const lost = withEngine({
      track: (events) => {
        received.push(events);
        return NEVER;
      },
    });
    const kept = withEngine({
      track: (events) => {
        received.push(events);
        return Promise.resolve(events.map(() => 'stored'));
      },
    });
    const { recommender, made } = setUp({ workers: [lost, kept] });
    const results = [recommender.track({ type: 'view', item: RINGS[0]! })];
    await recommender.status();
    results.push(recommender.track({ type: 'cart', item: RINGS[0]! }));
    await recommender.status();
    made[0]?.dispatchEvent(new Event('error'));
    expect(await Promise.all(results)).toEqual(['stored', 'stored']);
    expect(received.map((events) => events.length)).toEqual([1, 1, 2]);
    expect(received[2]).toEqual([received[0]?.[0], received[1]?.[0]]);
  });

  it('resolves with dropped, and says why, when the engine cannot store', async () => {
    const { recommender, fallbacks } = setUp({
      workers: [withEngine({ track: () => Promise.reject(new RecommenderError('STORAGE_FAILED')) })],
    });
    expect(await recommender.track({ type: 'view', item: RINGS[0]! })).toBe('dropped');
    expect(fallbacks).toEqual(['STORAGE_FAILED']);
  });

  it('takes whatever the page reports', async () => {
    const track = vi.fn((events: readonly TrackedEvent[]) => Promise.resolve(events.map(() => 'dropped' as const)));
    const { recommender } = setUp({ workers: [withEngine({ track })], now: () => 42 });
    const shopScript: { track(event: unknown): Promise<unknown> } = { track: (event) => recommender.track(event as never) };
    await Promise.all([shopScript.track(null), shopScript.track({ type: () => 1 }), shopScript.track({ type: 'view', item: { id: 5, f: () => 1 } })]);
    expect(track.mock.calls[0]?.[0].map(({ event }) => event)).toEqual([{ time: 42 }, { time: 42 }, { type: 'view', item: { id: '5' }, time: 42 }]);
  });
});

describe('consent', () => {
  it('starts the worker when it is first given, and tells a running worker of changes', async () => {
    const setConsent = vi.fn(() => Promise.resolve());
    const { recommender, made, fallbacks } = setUp({ consent: 'denied', workers: [withEngine({ setConsent })] });
    await recommender.setConsent('denied');
    expect(made).toEqual([]);
    await recommender.setConsent('session');
    await recommender.status();
    expect(made[0]?.started[0]?.consent).toBe('session');
    await recommender.setConsent('granted');
    await recommender.setConsent('denied');
    expect(setConsent.mock.calls.map(([consent]: unknown[]) => consent)).toEqual(['granted', 'denied']);
    expect(recommender.consent).toBe('denied');
    const shopScript: { setConsent(consent: unknown): Promise<void> } = { setConsent: (consent) => recommender.setConsent(consent as never) };
    await shopScript.setConsent('yes');
    expect(recommender.consent).toBe('denied');
    expect(fallbacks).toEqual(['INVALID_OPTIONS']);
  });

  it('lets the shopper export and erase without consent', async () => {
    const { recommender } = setUp({ consent: 'denied' });
    expect(await recommender.exportData()).toMatchObject({ behaviour: [] });
    await recommender.eraseData();
  });
});

describe('everything else', () => {
  it('answers with nothing, and says why, when the engine cannot', async () => {
    const refuse = (): Promise<never> => Promise.reject(new RecommenderError('WARMING_UP'));
    const engine = { predictNext: refuse, forecast: refuse, formula: refuse, prefetch: refuse, status: refuse };
    const { recommender, fallbacks } = setUp({ workers: [withEngine(engine)] });
    const series = { measure: 'sales', asOf: 1, stepDays: 7, values: [1, 2] } as const;
    expect(await recommender.predictNext(RINGS)).toEqual([]);
    expect(await recommender.forecast(series)).toBeNull();
    expect(await recommender.formula(RINGS[0]!)).toBeNull();
    await recommender.prefetch(RINGS);
    expect((await recommender.status()).devices.encode.device).toBe('none');
    expect(fallbacks).toEqual(Array(5).fill('WARMING_UP'));
  });

  it('lets prefetching be given up', async () => {
    const begun = vi.fn();
    const prefetch = (_candidates: unknown, signal?: AbortSignal): Promise<never> => {
      begun();
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new RecommenderError('ABORTED'))));
    };
    const { recommender, fallbacks } = setUp({ workers: [withEngine({ prefetch })] });
    const abort = new AbortController();
    const reason = new Error('the shopper left');
    const prefetched = recommender.prefetch(RINGS, { signal: abort.signal });
    await vi.waitFor(() => expect(begun).toHaveBeenCalled());
    abort.abort(reason);
    await expect(prefetched).rejects.toBe(reason);
    expect(fallbacks).toEqual([]);
  });

  it('does not pretend to have exported or erased', async () => {
    const refuse = (): Promise<never> => Promise.reject(new RecommenderError('STORAGE_FAILED'));
    const { recommender } = setUp({ workers: [withEngine({ exportData: refuse, eraseData: refuse })] });
    await expect(recommender.exportData()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(recommender.eraseData()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('forecasts as many steps as asked for', async () => {
    const { recommender } = setUp();
    const series = { measure: 'sales', asOf: 1, stepDays: 7, values: [1, 2] } as const;
    expect((await recommender.forecast(series, { horizon: 2 }))?.median).toEqual([2, 2]);
  });

  it('tells listeners until they stop', async () => {
    const { recommender, made } = setUp();
    await recommender.status();
    const heard = vi.fn();
    const stop = recommender.on('improved', heard);
    made[0]?.emit('improved', { slate: 'a' });
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith({ slate: 'a' }));
    stop();
    made[0]?.emit('improved', { slate: 'b' });
    await recommender.status();
    expect(heard).toHaveBeenCalledOnce();
  });

  it.each([
    [{ pack: 'pack.json', worker: 5 }],
    [{ pack: 'pack.json', worker: '/w.js', consent: 'yes' }],
    [{ pack: 'pack.json', worker: '/w.js', device: 'tfjs' }],
    [{ pack: 'pack.json', worker: '/w.js', fields: { name: 'title' } }],
    [{ pack: 'pack.json', worker: '/w.js', fields: { id: () => 1 } }],
    [{ pack: 'pack.json', worker: '/w.js', deadlineMs: NaN }],
    [{ pack: 'pack.json', worker: '/w.js', partition: '' }],
  ])('names the option that is wrong: %j', (options) => {
    expect(() => createRecommender(options as never)).toThrow(RecommenderError);
  });
});
