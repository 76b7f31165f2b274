import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { fetchCandidates } from './demo-catalogue.ts';
import { openDemoShop, PATIENCE_MS, startShopper, type DemoShop } from './demo-shop.ts';
import { summarise, type BenchResult } from './harness.ts';
import { rendererMegabytes } from './renderer-memory.ts';

const CACHED = 5_000;
/** As many as the demo's server gives at once. */
const PART = 500;
const VIEWED = 5;
const SETTLE_MS = 2_000;

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
  const { context, page } = await shop.visit('?device=wasm', { profile, flags: ['--js-flags=--expose-gc'] });
  try {
    await page.waitForLoadState('networkidle');
    await collectGarbage(page);
    const before = rendererMegabytes(profile);
    if (before === null) {
      console.log('Skipped: this system does not say what a process needs (Linux does, in smaps_rollup).');
      return [];
    }
    await startShopper(page, candidates.slice(0, VIEWED));
    console.log(`encoding ${CACHED} titles …`);
    for (let part = 0; part < CACHED / PART; part++) {
      await page.evaluate(
        async ({ candidates, part, patienceMs }) => {
          const items = candidates.map((item) => ({ ...item, id: `${item.id} ${part}`, title: `${item.title ?? ''} ${part}` }));
          const { ranker, complete } = await shelfwise.rerank(items, { deadlineMs: patienceMs });
          if (ranker !== 'device' || !complete) throw new Error('The device did not rank every candidate.');
        },
        { candidates, part, patienceMs: PATIENCE_MS },
      );
    }
    const atOnce = rendererMegabytes(profile)!;
    await collectGarbage(page);
    const settled = rendererMegabytes(profile)!;
    const unit = 'MB';
    const what = `renderer memory with packs and ${CACHED} cached items, less the same page without us`;
    return [
      summarise({ name: `${what}: garbage collected`, unit, ours: [settled - before], aim: 60 }),
      summarise({ name: `${what}: right after encoding`, unit, ours: [atOnce - before] }),
      summarise({ name: 'renderer memory of the same page without us', unit, ours: [before] }),
    ];
  } finally {
    await context.close();
  }
}

/** In the page and its workers, so that only what is held is counted; then time for memory to go back to the system. */
async function collectGarbage(page: Page): Promise<void> {
  const collect = (): void => (globalThis as unknown as { gc(): void }).gc();
  await page.evaluate(collect);
  for (const worker of page.workers()) await worker.evaluate(collect);
  await page.waitForTimeout(SETTLE_MS);
}
