import type { Page } from '@playwright/test';
import type { Candidate } from '../src/index.ts';
import { openDemoShop, type DemoShop } from './demo-shop.ts';
import { quantile, summarise, type BenchResult, type BenchRow } from './harness.ts';

const COUNTS = [10, 100, 500];
const DEVICES = ['wasm', 'webgpu'];
const CACHED_ROUNDS = 60;
const COLD_ROUNDS = 9;
/** Long enough that no slate is cut short: what is measured is the whole work. */
const PATIENCE_MS = 120_000;
/** What the browser itself calls a long task; shorter ones are not reported. */
const LONG_TASK_MS = 50;

/** Milliseconds from the page's call of `rerank()` to its slate, after a few clicks, vectors cached and not. */
export async function rerank(): Promise<BenchResult> {
  const shop = await openDemoShop();
  try {
    const rows: BenchRow[] = [];
    for (const device of DEVICES) rows.push(...(await measureDevice(shop, device)));
    return { rows, tables: [] };
  } finally {
    await shop.close();
  }
}

async function measureDevice(shop: DemoShop, device: string): Promise<BenchRow[]> {
  const { context, page } = await shop.visit(`?device=${device}`);
  try {
    const candidates = await fetchCandidates(shop, Math.max(...COUNTS));
    const serving = await startShopper(page, candidates);
    console.log(`${device}: scores on ${serving}`);
    const cached = await timeSlates(page, candidates, CACHED_ROUNDS, 'cached');
    const cold = await timeSlates(page, candidates, COLD_ROUNDS, 'cold');
    const longest = await longestTask(page, candidates);
    return COUNTS.flatMap((count, i) => [
      ...percentiles(`${device}, ${count} candidates, cached`, cached.map((round) => round[i]!)),
      ...percentiles(`${device}, ${count} candidates, cold`, cold.map((round) => round[i]!)),
    ]).concat(summarise({ name: `${device}, longest main-thread task over 50 ms while 500 are encoded and ranked`, unit: 'ms', ours: [longest], goal: LONG_TASK_MS }));
  } finally {
    await context.close();
  }
}

function percentiles(name: string, times: readonly number[]): BenchRow[] {
  const row = summarise({ name: `${name}: p50`, unit: 'ms', ours: times });
  return [row, { ...row, name: `${name}: p95`, ours: quantile(times, 0.95) }];
}

async function fetchCandidates(shop: DemoShop, limit: number): Promise<Candidate[]> {
  const response = await fetch(new URL(`api/candidates?slot=home&limit=${limit}`, shop.address));
  const { candidates } = (await response.json()) as { candidates: Candidate[] };
  if (candidates.length < limit) throw new Error(`The demo shop offers ${candidates.length} candidates, not ${limit}.`);
  return candidates;
}

/** A shopper with consent and five clicks; resolves, with the device that scores, once slates come from the device. */
async function startShopper(page: Page, candidates: readonly Candidate[]): Promise<string> {
  return page.evaluate(
    async ({ viewed, patienceMs }) => {
      await shelfwise.setConsent('session');
      const start = performance.now();
      for (;;) {
        const { ranker } = await shelfwise.rerank(viewed, { deadlineMs: patienceMs });
        if (ranker === 'device') break;
        if (performance.now() - start > patienceMs) throw new Error('The device never ranked.');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      for (const item of viewed) await shelfwise.track({ type: 'view', item });
      return (await shelfwise.status()).devices.score.device;
    },
    { viewed: candidates.slice(0, 5), patienceMs: PATIENCE_MS },
  );
}

/**
 * Times slates of each size in turn, round by round -> [rounds][sizes] in milliseconds. Cold slates have titles that nobody
 * has seen before, so that every candidate must be encoded; the first round is not counted: it compiles, and fills the cache.
 */
async function timeSlates(
  page: Page,
  candidates: readonly Candidate[],
  rounds: number,
  state: 'cached' | 'cold',
): Promise<number[][]> {
  return page.evaluate(
    async ({ candidates, counts, rounds, state, patienceMs }) => {
      // No named functions in here: tsx marks them with a helper that the page does not have.
      const times: number[][] = [];
      for (let round = -1; round < rounds; round += 1) {
        const row: number[] = [];
        for (const count of counts) {
          const known = candidates.slice(0, count);
          const unseen = known.map((item) => ({ ...item, title: `${item.title ?? ''} ${round} ${count}` }));
          const start = performance.now();
          const { ranker, complete } = await shelfwise.rerank(state === 'cold' ? unseen : known, { deadlineMs: patienceMs });
          row.push(performance.now() - start);
          if (ranker !== 'device' || !complete) throw new Error('The device did not rank every candidate.');
        }
        if (round >= 0) times.push(row);
      }
      return times;
    },
    { candidates, counts: COUNTS, rounds, state, patienceMs: PATIENCE_MS },
  );
}

/** The longest task of the main thread while never-seen candidates are encoded and ranked, in milliseconds; 0 where none is over 50. */
async function longestTask(page: Page, candidates: readonly Candidate[]): Promise<number> {
  return page.evaluate(
    async ({ candidates, patienceMs }) => {
      const tasks: number[] = [];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
      const unseen = candidates.map((item) => ({ ...item, title: `${item.title ?? ''} again` }));
      observer.observe({ entryTypes: ['longtask'] });
      await shelfwise.rerank(unseen, { deadlineMs: patienceMs });
      await new Promise((resolve) => setTimeout(resolve, 200)); // entries arrive after their task
      observer.disconnect();
      return Math.max(0, ...tasks);
    },
    { candidates, patienceMs: PATIENCE_MS },
  );
}
