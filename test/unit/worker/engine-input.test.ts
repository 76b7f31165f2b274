import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Candidate } from '../../../src/types.ts';
import { createEvent, createShelf, orderOf, PATIENT, startEngine, type EngineHost } from '../../helpers/engine-host.ts';

let host: EngineHost;
beforeAll(async () => {
  host = await startEngine();
  await host.engine.track([createEvent('view', 3), createEvent('cart', 7)]);
});
afterAll(() => host.engine.close());

const long = 'mug '.repeat(25_000);
const LISTS: Readonly<Record<string, readonly object[]>> = {
  'no candidates': [],
  'one candidate': createShelf(1),
  'the same candidate often': Array.from({ length: 9 }, () => createShelf(1)[0]!),
  'one object often': new Array<object>(9).fill(createShelf(1)[0]!),
  'ids that are names of Object.prototype': ['__proto__', 'constructor', 'toString', '__proto__'].map((id) => ({ id, title: `mug ${id}` })),
  'numeric ids beside their strings': [7, '7', 0, -0, 1.5, 2 ** 60].map((id) => ({ id, title: `mug ${id}` })),
  'missing titles': [{ id: 'a' }, { id: 'b', title: '' }, { id: 'c', title: '   ' }, { id: 'd', description: 'a mug' }],
  'scores and prices that are not numbers': [NaN, Infinity, -Infinity, -1, 1e308].map((value, at) => ({ id: `item-${at}`, title: 'mug', score: value, price: value })),
  'fields of the wrong type': [{ id: 'a', title: 3, price: '4', tags: 'red', score: {}, vector: 5, demand: null }, { id: 'b', vector: {}, demand: { values: 'x' } }],
  'series of nonsense': [[], [null], [NaN, -5, 1e308], [null, null, 3]].map((values, at) => ({ id: `item-${at}`, demand: { measure: 'sales', asOf: NaN, stepDays: 7, values } })),
  'titles of 100,000 characters': [{ id: 'a', title: long }, { id: 'b', title: long.replaceAll(' ', '') }],
  'what is no candidate at all': [{}, { id: null }, { id: '' }, [], new Date(0), { id: 'a', title: 'mug' }],
};

describe('whatever comes in, a permutation comes out', () => {
  for (const [name, candidates] of Object.entries(LISTS)) {
    it(name, async () => {
      const { ranked, complete } = await host.engine.rerank(candidates as readonly Candidate[], PATIENT);
      expect(orderOf({ ranked }).toSorted((a, b) => a - b)).toEqual(candidates.map((_, at) => at));
      expect(complete).toBe(true);
      expect(ranked.scores).not.toContain(Infinity);
      expect(ranked.scores).not.toContain(-Infinity);
      const first = await host.engine.rerank(candidates as readonly Candidate[], { ...PATIENT, limit: 2 });
      expect(orderOf(first)).toEqual(orderOf({ ranked }).slice(0, 2));
    });
  }

  it('holes and nulls in a list', async () => {
    const candidates = [null, createShelf(1)[0], undefined, 3, 'item-1', createShelf(2)[1]] as readonly Candidate[];
    const { ranked } = await host.engine.rerank(candidates, PATIENT);
    expect(orderOf({ ranked }).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const place of [0, 2, 3, 4]) expect([ranked.serverPositions[place], ranked.scores[place]]).toEqual([place, NaN]);
  });

  it('equal candidates keep the order of the server', async () => {
    const same = Array.from({ length: 6 }, () => ({ id: 'item-4', title: 'mug' }));
    expect(orderOf(await host.engine.rerank(same, PATIENT))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('refuses what is no list', async () => {
    await expect(host.engine.rerank('item-1' as never, PATIENT)).rejects.toMatchObject({ code: 'INVALID_CANDIDATES' });
  });

  it('takes limits and deadlines of nonsense for small ones', async () => {
    for (const limit of [0, -1, NaN]) expect((await host.engine.rerank(createShelf(), { ...PATIENT, limit })).ranked.serverPositions).toEqual(new Int32Array(0));
    for (const deadlineMs of [-1, NaN, -Infinity]) expect((await host.engine.rerank(createShelf(), { limit: 12, deadlineMs })).ranked.serverPositions).toHaveLength(12);
  });
});

describe('events', () => {
  it('drops those that are not of the documented form, says why, and keeps the others', async () => {
    const { engine, events } = await startEngine();
    const broken = { id: 'broken', event: { type: 'stare', item: { id: 1 }, time: 0 } } as never;
    expect(await engine.track([broken, createEvent('view', 1)])).toEqual(['dropped', 'memory']);
    expect(events).toContainEqual({ type: 'fallback', detail: expect.objectContaining({ code: 'INVALID_EVENT' }) as unknown });
    await engine.close();
  });

  it('survives a clock that runs backwards: seq orders, scores stay finite', async () => {
    const { engine, clock } = await startEngine();
    const times = [clock, clock - 86_400_000, clock + 86_400_000, 0, -1, 8e15];
    for (const [at, time] of times.entries()) await engine.track([createEvent('purchase', at, { time })]);
    const { ranked } = await engine.rerank(createShelf(), PATIENT);
    expect(ranked.scores.every(Number.isFinite)).toBe(true);
    const { behaviour } = await engine.exportData();
    expect(behaviour.map(({ payload }) => payload.time)).toEqual(times);
    await engine.close();
  });

  it('stores an event that comes twice once', async () => {
    const { engine } = await startEngine();
    const event = createEvent('view', 2);
    await engine.track([event, event]);
    const once = await engine.rerank(createShelf(), PATIENT);
    await engine.track([event]);
    expect((await engine.rerank(createShelf(), PATIENT)).ranked).toEqual(once.ranked);
    expect((await engine.exportData()).behaviour).toHaveLength(1);
    await engine.close();
  });
});
