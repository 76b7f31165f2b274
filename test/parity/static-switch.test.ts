import { expect, it } from 'vitest';
import { readItems } from '../../src/cli/data.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { createRandom } from '../../src/lib/random.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createEngine } from '../../src/worker/engine.ts';
import type { EngineEnvironment } from '../../src/worker/environment.ts';
import { loadModels } from '../../src/worker/models.ts';

// The packs that ship: what a shopper sees before the encoder's layers are there, and after.

const pathOf = (name: string): string => new URL(`../../${name}`, import.meta.url).pathname;
const PACK = pathOf('models/online-retail/pack.json');
const NOW = Date.UTC(2011, 10, 1);
const SHOPPERS = 8;
const VIEWS = 4;
const CANDIDATES = 500;
const TOP = 20;

it('the switch from the static tier to the encoder is no jump: most of the top 20 of 500 stay', { timeout: 300_000 }, async () => {
  const { ids, titles, price } = await readItems(pathOf('demo/data/items.csv.gz'));
  const random = createRandom(11);
  const items = Array.from(random.shuffle(ids.map((_, at) => at)), (at) => ({ id: ids[at]!, title: titles[at]!, price: price[at]! }));
  const candidates = items.slice(0, CANDIDATES);

  let arrive = (): void => undefined;
  const layers = new Promise<void>((resolve) => (arrive = resolve));
  const environment: EngineEnvironment = {
    now: () => NOW,
    emit: () => undefined,
    openStore: () => Promise.resolve(createMemoryStore()),
    readBytes: async (address) => {
      if (address.endsWith('layers.safetensors')) await layers;
      return readFileBytes(address);
    },
    ledger: () => [],
    isWriter: () => false,
    devices: { wasm: () => createWasmDevice() },
  };
  const options = { pack: PACK, device: 'wasm', consent: 'session', partition: 'test', database: 'test' } as const;
  const models = loadModels(options, environment, {
    report: (error) => {
      throw error;
    },
  });
  await models;
  const engines = Array.from({ length: SHOPPERS }, () => createEngine(options, environment, { models }));
  for (const [shopper, engine] of engines.entries()) {
    // One of them is alike to the next by its words, as in a visit.
    const [word] = items[CANDIDATES + shopper]!.title.toLowerCase().match(/[a-z]{5,}/) ?? ['set'];
    const alike = items.slice(CANDIDATES).filter(({ title }) => title.toLowerCase().includes(word)).slice(0, VIEWS);
    await engine.track(alike.map((item, at) => ({ id: `${shopper} ${at}`, event: { type: 'view', item, time: NOW - 60_000 * (VIEWS - at) } })));
  }
  const topOf = async (engine: (typeof engines)[number], deadlineMs: number): Promise<{ complete: boolean; top: number[] }> => {
    const { ranked, complete } = await engine.rerank(candidates, { limit: TOP, deadlineMs });
    return { complete, top: [...ranked.serverPositions] };
  };
  const before: Awaited<ReturnType<typeof topOf>>[] = [];
  for (const engine of engines) before.push(await topOf(engine, 500));
  arrive();
  const overlaps: number[] = [];
  for (const [shopper, engine] of engines.entries()) {
    const after = await topOf(engine, Infinity);
    expect([before[shopper]!.complete, after.complete]).toEqual([false, true]);
    overlaps.push(after.top.filter((position) => before[shopper]!.top.includes(position)).length / TOP);
  }
  const mean = overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length;
  console.log(`of the top ${TOP} of ${CANDIDATES}, the switch keeps ${overlaps.map((overlap) => overlap.toFixed(2)).join(' ')}, mean ${mean.toFixed(2)}`);
  expect(mean).toBeGreaterThanOrEqual(0.65);
  for (const engine of engines) await engine.close();
  await (await models).dispose();
});
