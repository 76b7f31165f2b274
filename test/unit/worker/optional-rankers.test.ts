import { afterEach, expect, it, vi } from 'vitest';
import { createEvent, createShelf, orderOf, PATIENT, startEngine, type EngineHost } from '../../helpers/engine-host.ts';
import { createTinyPack } from '../../helpers/tiny-pack.ts';

// What only some packs have comes as a chunk of its own.

const CODE = '../../../src/rank/optional-rankers.ts';
const OPTIONAL = ['ease', 'sessions', 'bilinear'] as const;
const hosts: EngineHost[] = [];

afterEach(async () => {
  vi.doUnmock(CODE);
  for (const { engine } of hosts.splice(0)) await engine.close();
});

/** An engine whose shopper saw the item before the fifth. */
async function start({ optional = true } = {}): Promise<EngineHost> {
  const host = await startEngine({ files: await createTinyPack({ optional }) });
  hosts.push(host);
  await host.engine.track([createEvent('cart', 3)]);
  return host;
}

async function optionalFeatures({ engine }: EngineHost): Promise<(number | null)[]> {
  const { features } = await engine.formula(createShelf()[4]!);
  return OPTIONAL.map((name) => features[name]!);
}

/** As where a deployment has taken the chunk away. */
function losesCode(): void {
  vi.doMock(CODE, () => {
    throw new Error('404');
  });
}

it('a pack with EASE, sessions and bilinear text ranks by all three', async () => {
  const host = await start();
  const [ease, sessions, bilinear] = await optionalFeatures(host);
  expect(ease).toBeCloseTo(Math.log1p(10 * 0.5), 2);
  expect(sessions).toBeGreaterThan(0);
  expect(bilinear).not.toBeNull();
  expect(host.events.map(({ type }) => type)).toEqual(['ready']);
});

it('a pack without them never asks for their code', async () => {
  losesCode();
  const host = await start({ optional: false });
  expect(await optionalFeatures(host)).toEqual([null, null, null]);
  expect(host.events.map(({ type }) => type)).toEqual(['ready']);
});

it('where their code cannot be fetched, the pack ranks without them and says so', async () => {
  losesCode();
  const host = await start();
  const { ranked, complete } = await host.engine.rerank(createShelf(), PATIENT);
  expect(complete).toBe(true);
  expect(orderOf({ ranked })).not.toEqual(createShelf().map((_, at) => at));
  expect(await optionalFeatures(host)).toEqual([null, null, null]);
  expect(host.events).toContainEqual({ type: 'fallback', detail: expect.objectContaining({ code: 'PACK_UNAVAILABLE', message: expect.stringContaining('EASE') as unknown }) as unknown });
});
