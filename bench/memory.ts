import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchCandidates } from './demo-catalogue.ts';
import { openDemoShop, PATIENCE_MS, startShopper, type DemoShop } from './demo-shop.ts';
import { summarise, type BenchResult } from './harness.ts';
import { openPlainBrowser, type PlainBrowser } from './plain-browser.ts';
import { rendererMemory, type ProcessMemory } from './renderer-memory.ts';

const CACHED = 5_000;
/** As many as the demo's server gives at once. */
const PART = 500;
const VIEWED = 5;
/** Pictures and styles of the first page. */
const LOADING_MS = 5_000;
const SETTLE_MS = 2_000;
const IDLE_MS = 15_000;
/** V8 gives the room of its young objects back to the system when a thread is idle and 30 s old: our worker is younger after `IDLE_MS` if its machine encodes fast. */
const LONG_IDLE_MS = 45_000;

/** What the shop's renderer needs more with us: the packs loaded and 5,000 items' vectors cached, against the page before consent. */
export async function memory(): Promise<BenchResult> {
  const shop = await openDemoShop();
  const profile = await mkdtemp(join(tmpdir(), 'shelfwise-memory-'));
  try {
    return { rows: await measure(shop, profile), tables: [] };
  } finally {
    await shop.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measure(shop: DemoShop, profile: string): Promise<BenchResult['rows']> {
  const candidates = await fetchCandidates(shop.address, PART);
  const browser = await openPlainBrowser(profile, ['--js-flags=--expose-gc']);
  try {
    await browser.navigate(new URL('?device=wasm', shop.address).href);
    await sleep(LOADING_MS);
    await collectGarbage(browser);
    const before = rendererMemory(profile);
    if (before === null) {
      console.log('Skipped: this system does not say what a process needs (Linux does, in smaps_rollup).');
      return [];
    }
    await startShopper(browser, candidates.slice(0, VIEWED));
    console.log(`encoding ${CACHED} titles …`);
    for (let part = 0; part < CACHED / PART; part++) {
      await browser.evaluate(
        async ({ candidates, part, patienceMs }) => {
          const items = candidates.map((item) => ({ ...item, id: `${item.id} ${part}`, title: `${item.title ?? ''} ${part}` }));
          const { ranker, complete } = await shelfwise.rerank(items, { deadlineMs: patienceMs });
          if (ranker !== 'device' || !complete) throw new Error('The device did not rank every candidate.');
        },
        { candidates, part, patienceMs: PATIENCE_MS },
      );
    }
    const atOnce = rendererMemory(profile)!;
    await collectGarbage(browser);
    const collected = rendererMemory(profile)!;
    await sleep(IDLE_MS);
    const idle = rendererMemory(profile)!;
    await sleep(LONG_IDLE_MS - IDLE_MS);
    const longIdle = rendererMemory(profile)!;
    const row = (name: string, memory: ProcessMemory, part: keyof ProcessMemory = 'total', aim?: number): BenchResult['rows'][number] =>
      summarise({ name: `renderer memory with packs and ${CACHED} cached items, less the same page without us: ${name}`, unit: 'MB', ours: [memory[part] - before[part]], ...(aim !== undefined && { aim }) });
    return [
      row(`idle for ${IDLE_MS / 1000} s`, idle, 'total', 60),
      row(`idle for ${IDLE_MS / 1000} s, without files`, idle, 'anonymous'),
      row(`idle for ${LONG_IDLE_MS / 1000} s`, longIdle),
      row('garbage collected', collected),
      row('right after encoding', atOnce),
      summarise({ name: 'renderer memory of the same page without us', unit: 'MB', ours: [before.total] }),
    ];
  } finally {
    await browser.close();
  }
}

/** In the page and its workers, so that only what is held is counted; then time for memory to go back to the system. */
async function collectGarbage(browser: PlainBrowser): Promise<void> {
  const collect = (): void => (globalThis as unknown as { gc(): void }).gc();
  for (const thread of [browser, ...browser.workers]) await thread.evaluate(collect, null);
  await sleep(SETTLE_MS);
}
