import { afterEach, describe, expect, it } from 'vitest';
import { FEATURE_NAMES } from '../../../src/rank/feature-schema.ts';
import type { Candidate } from '../../../src/types.ts';
import { createCountingEncoder, createEvent, createLastingStore, createShelf, orderOf, PATIENT, startEngine, type EngineHost, type EngineHostOptions } from '../../helpers/engine-host.ts';
import { TINY_ENCODER_REVISION, TINY_TEXT } from '../../helpers/tiny-pack.ts';

const hosts: EngineHost[] = [];

async function start(options?: EngineHostOptions): Promise<EngineHost> {
  const host = await startEngine(options);
  hosts.push(host);
  return host;
}

afterEach(async () => {
  for (const { engine } of hosts.splice(0)) await engine.close();
});

const serverOrder = createShelf().map((_, at) => at);
const series = { measure: 'sales', asOf: 1_767_000_000, stepDays: 7, values: [3, 4, null, 6, 8, null] } as const;

describe('re-ranking', () => {
  it('orders by the shopper, and differently after what the shopper does', async () => {
    const { engine, events } = await start();
    const before = await engine.rerank(createShelf(), PATIENT);
    expect(orderOf(before).toSorted((a, b) => a - b)).toEqual(serverOrder);
    expect(orderOf(before)).not.toEqual(serverOrder);
    expect(before).toMatchObject({ complete: true, device: 'reference' });
    expect(await engine.track([createEvent('view', 3), createEvent('cart', 7)])).toEqual(['memory', 'memory']);
    const after = await engine.rerank(createShelf(), PATIENT);
    expect(orderOf(after)).not.toEqual(orderOf(before));
    expect(events).toEqual([{ type: 'ready', detail: { device: 'reference' } }]);
  });

  it('sees what was tracked just before, even while a slow disk still stores it', async () => {
    const { openStore } = createLastingStore();
    const slow: typeof openStore = async (consent) => {
      const store = await openStore(consent);
      return {
        ...store,
        append: async (rows) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          return store.append(rows);
        },
      };
    };
    const { engine } = await start({ openStore: slow });
    const before = await engine.rerank(createShelf(), PATIENT);
    const events = [createEvent('view', 3), createEvent('cart', 7)];
    const stored = engine.track(events);
    const atOnce = await engine.rerank(createShelf(), PATIENT);
    const { user } = await engine.formula(createShelf()[0]!);
    await stored;
    expect(orderOf(atOnce)).not.toEqual(orderOf(before));
    expect(orderOf(await engine.rerank(createShelf(), PATIENT))).toEqual(orderOf(atOnce));
    expect(user).not.toBeNull();
  });

  it('gives the same scores for the same history, with highest first', async () => {
    const answers = await Promise.all(
      [0, 1].map(async () => {
        const { engine } = await start();
        await engine.track([createEvent('view', 3), createEvent('search', 0, { query: 'red mug' }), createEvent('purchase', 5)]);
        return engine.rerank(createShelf(), { ...PATIENT, limit: 5 });
      }),
    );
    expect(answers[0]!.ranked).toEqual(answers[1]!.ranked);
    expect(answers[0]!.ranked.serverPositions).toHaveLength(5);
    const scores = [...answers[0]!.ranked.scores];
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it('ranks candidates that the pack has never seen', async () => {
    const { engine } = await start();
    const unseen = createShelf(20).slice(12);
    const { ranked, complete } = await engine.rerank(unseen, PATIENT);
    expect(complete).toBe(true);
    expect(ranked.scores).not.toContain(NaN);
  });

  it('takes impressions for no behaviour', async () => {
    const { engine } = await start();
    await engine.track([createEvent('view', 3)]);
    const before = await engine.rerank(createShelf(), PATIENT);
    await engine.track([createEvent('impression', 5)]);
    const after = await engine.rerank(createShelf(), PATIENT);
    expect(after.ranked).toEqual(before.ranked);
  });

  it('keeps server positions at the deadline, and says when a new call would differ, once', async () => {
    const encoder = createCountingEncoder();
    const { engine, events, waitFor } = await start({ encoder });
    await waitFor('ready');
    await engine.prefetch(createShelf(4));
    encoder.hold();
    const shelf = createShelf();
    const early = await engine.rerank(shelf, { limit: Infinity, deadlineMs: 0 });
    expect(early.complete).toBe(false);
    expect(orderOf(early).slice(4)).toEqual(serverOrder.slice(4));
    expect(Array.from(early.ranked.scores, Number.isNaN)).toEqual(serverOrder.map((at) => at >= 4));
    encoder.release();
    expect(await waitFor('improved')).toEqual({ slate: early.slate });
    const late = await engine.rerank(shelf, { limit: Infinity, deadlineMs: 0 });
    expect(late.complete).toBe(true);
    expect(orderOf(late)).not.toEqual(serverOrder);
    expect(events.filter(({ type }) => type === 'improved')).toHaveLength(1);
    expect(encoder.texts).toHaveLength(12);
  });

  it('answers before an event is encoded, and improves when it is', async () => {
    const encoder = createCountingEncoder({ held: true });
    const shelf = createShelf().map((candidate) => ({ ...candidate, vector: sentVector(candidate) }));
    const { engine, waitFor } = await start({ encoder });
    await waitFor('ready');
    const before = await engine.rerank(shelf, PATIENT);
    await engine.track([createEvent('cart', 7)]);
    const early = await engine.rerank(shelf, { limit: Infinity, deadlineMs: 5 });
    expect(early.ranked).toEqual(before.ranked);
    expect(early.complete).toBe(false);
    encoder.release();
    expect(await waitFor('improved')).toEqual({ slate: early.slate });
    expect((await engine.rerank(shelf, PATIENT)).ranked).not.toEqual(before.ranked);
  });

  it('takes vectors that come with candidates where its encoder made them, and encodes the text otherwise', async () => {
    const { engine, encoder } = await start();
    const [own, foreign] = createShelf(2);
    const candidates = [
      { ...own!, vector: sentVector(own!) },
      { ...foreign!, vector: { ...sentVector(foreign!), encoderRevision: 'fedcba9876543210' } },
    ];
    expect((await engine.rerank(candidates, PATIENT)).complete).toBe(true);
    expect(encoder.texts).toEqual([foreign!.title]);
  });

  it('reads the demand series of a candidate', async () => {
    const { engine } = await start();
    const [plain] = createShelf(1);
    const without = await engine.formula(plain!);
    const withSeries = await engine.formula({ ...plain!, demand: series });
    expect(without.forecast).toBeNull();
    expect(withSeries.forecast).toBeGreaterThanOrEqual(0);
    expect(withSeries.features.popularity7d).toBeCloseTo(Math.log1p(8), 6);
    const trend = Math.log1p(withSeries.forecast!) - Math.log1p((3 + 4 + 6 + 8) / 4);
    expect(withSeries.features.demandTrend).toBeCloseTo(trend, 5);
  });

  it('logs what was shown, from where, and with what probability', async () => {
    const { store, openStore } = createLastingStore();
    const { engine, clock } = await start({ openStore });
    const { slate, ranked, packRevision } = await engine.rerank(createShelf(), { ...PATIENT, limit: 3 });
    await engine.close();
    expect(await store.readSlate(slate)).toEqual({
      id: slate,
      partition: 'anonymous',
      time: clock,
      packRevision,
      seed: 0,
      shown: Array.from(ranked.serverPositions, (serverPosition) => `item-${serverPosition}`),
      serverPositions: [...ranked.serverPositions],
      propensities: [1, 1, 1],
    });
  });

  it('prefetches after requests, until it is given up', async () => {
    const encoder = createCountingEncoder({ held: true });
    const { engine, waitFor } = await start({ encoder });
    await waitFor('ready');
    const [known, unseen] = [createShelf(4), createShelf(30).slice(4)];
    const ranked = engine.rerank(known, PATIENT);
    const abort = new AbortController();
    const prefetched = engine.prefetch(unseen, abort.signal);
    await new Promise((resolve) => setTimeout(resolve, 120)); // more than idle time begins after
    expect(encoder.texts.filter((text) => unseen.some(({ title }) => title === text))).toEqual([]);
    abort.abort();
    await expect(prefetched).rejects.toMatchObject({ code: 'ABORTED' });
    encoder.release();
    await ranked;
    expect((await engine.status()).queue.encoding).toBe(0);
    expect(encoder.texts).toHaveLength(4);
  });

  it('stops waiting for an aborted caller', async () => {
    const encoder = createCountingEncoder({ held: true });
    const { engine, waitFor } = await start({ encoder });
    await waitFor('ready');
    const abort = new AbortController();
    const answer = engine.rerank(createShelf(), PATIENT, abort.signal);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'RecommenderError', code: 'ABORTED' });
    encoder.release();
  });
});

describe('what else the engine answers', () => {
  it('predicts the next behaviour: probabilities over the candidates that sum to 1', async () => {
    const { engine } = await start();
    await engine.track([createEvent('view', 3)]);
    const predicted = await engine.predictNext(createShelf(15));
    expect(predicted).toHaveLength(15);
    expect(predicted.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(predicted.map(({ probability }) => probability)).toEqual(predicted.map(({ probability }) => probability).toSorted((a, b) => b - a));
    expect(await engine.predictNext([])).toEqual([]);
  });

  it('shows the live values of the formula', async () => {
    const { engine } = await start();
    const candidate = createShelf(1)[0]!;
    expect((await engine.formula(candidate)).user).toBeNull();
    await engine.track([createEvent('view', 3)]);
    const [values, { ranked }] = await Promise.all([engine.formula(candidate), engine.rerank([candidate], PATIENT)]);
    expect(values.score).toBe(ranked.scores[0]);
    expect(values.user).toHaveLength(TINY_TEXT);
    expect(values.item).toHaveLength(TINY_TEXT);
    expect(Object.keys(values.features)).toEqual([...FEATURE_NAMES]);
    expect(values.probability).toBeGreaterThan(0);
    expect(values.probability).toBeLessThan(1);
  });

  it('forecasts a series', async () => {
    const { engine } = await start({ options: { consent: 'denied' } });
    const { mean, median, low, high } = await engine.forecast(series, { horizon: 3 });
    expect(mean).toHaveLength(3);
    expect(median).toHaveLength(3);
    median.forEach((value, step) => {
      expect(low[step]).toBeLessThanOrEqual(value);
      expect(high[step]).toBeGreaterThanOrEqual(value);
    });
  });

  it('says who serves, what is kept and how long the last request took', async () => {
    const { engine } = await start();
    await engine.track([createEvent('view', 3)]);
    const { timings } = await engine.rerank(createShelf(), PATIENT);
    const status = await engine.status();
    expect(status).toMatchObject({
      consent: 'session',
      devices: { encode: { device: 'own' }, score: { device: 'reference', why: 'reference: wasm did not start: it is not offered here; webgpu did not start: it is not offered here' } },
      packs: [{ name: 'tiny', kind: 'recommender' }],
      store: { home: 'memory', behaviourRows: 1, slates: 1 },
      queue: { encoding: 0 },
      timings,
    });
  });

  it('rejects calls after close() with CLOSED, and those that wait', async () => {
    const encoder = createCountingEncoder({ held: true });
    const { engine } = await startEngine({ encoder });
    const waiting = engine.rerank(createShelf(), PATIENT);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'CLOSED' }), engine.close()]);
    await expect(engine.track([createEvent('view', 3)])).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(engine.status()).rejects.toMatchObject({ code: 'CLOSED' });
    await engine.close();
  });
});

/** Any vector will do: it only has to be this encoder's. */
function sentVector({ id }: Candidate): NonNullable<Candidate['vector']> {
  const values = Int8Array.from({ length: TINY_TEXT }, (_, k) => (String(id).length * 37 + k * k * 11) % 100);
  return { encoderRevision: TINY_ENCODER_REVISION, scale: 0.01, values };
}
