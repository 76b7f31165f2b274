import type { Page } from '@playwright/test';
import type { Candidate } from '../src/index.ts';
import { fetchCandidates } from './demo-catalogue.ts';
import { openDemoShop, PATIENCE_MS, startShopper, type DemoShop } from './demo-shop.ts';
import { summarise, type BenchResult, type BenchRow } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';

const COUNTS = [10, 100, 500];
const MOST = Math.max(...COUNTS);
// A GPU imitated on the CPU would say nothing about a real one's speed.
const DEVICES = ['wasm'];
const VIEWED = 5;
const CACHED_ROUNDS = 60;
const SHOPPERS = 10;
/** What the browser itself calls a long task; shorter ones are not reported. */
const LONG_TASK_MS = 50;
const FRAME_MS = 16;
const MOST_CACHED_MS = 50;
/** A request waits for one slice of texts at most. */
const MOST_WAIT_MS = 20;
const unit = 'ms';

/** Re-ranking from the page's call to its slate: beside tfjs-wasm, cached and never seen, and what the page's own thread feels of it. */
export async function rerank(): Promise<BenchResult> {
  const rows = await withPages(async (pages) => {
    const candidates = await fetchCandidates(pages.address, MOST);
    console.log('page to page, our worker beside the same on tfjs-wasm …');
    const { shelfwise, 'tfjs-wasm': tfjs } = await pages.measure('rerankInWorkers', candidates, ROUNDS);
    console.log('int8 against float32 arithmetic …');
    const overlaps = await pages.measure('compareSlates', candidates, SHOPPERS);
    const overlap = overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length;
    return [
      summarise({ name: `re-rank ${MOST} cached, page to page / the same worker on tfjs-wasm`, unit, ours: shelfwise, peer: tfjs, goal: 0.5, aim: 0.3 }),
      summarise({ name: `int8 against f32 arithmetic, overlap of the top 20 of ${MOST}: mean of ${SHOPPERS} shoppers`, unit: '', ours: [overlap], goal: 0.95, aim: 0.98, bound: 'least' }),
    ];
  });
  const shop = await openDemoShop();
  try {
    const candidates = await fetchCandidates(shop.address, MOST);
    for (const device of DEVICES) rows.push(...(await measureCached(shop, candidates, device)));
    rows.push(...(await measureUnseen(shop, candidates)));
    return { rows, tables: [] };
  } finally {
    await shop.close();
  }
}

async function withShopper<T>(shop: DemoShop, candidates: readonly Candidate[], device: string, work: (page: Page) => Promise<T>): Promise<T> {
  const { context, page } = await shop.visit(`?device=${device}`);
  try {
    const serving = await startShopper(page, candidates.slice(0, VIEWED));
    console.log(`${device}: scores on ${serving}`);
    return await work(page);
  } finally {
    await context.close();
  }
}

/** Slates of each size in turn, round by round, once all vectors are there. */
async function measureCached(shop: DemoShop, candidates: readonly Candidate[], device: string): Promise<BenchRow[]> {
  const times = await withShopper(shop, candidates, device, (page) =>
    page.evaluate(
      async ({ candidates, counts, rounds, patienceMs }) => {
        await shelfwise.rerank(candidates, { deadlineMs: patienceMs });
        const times: number[][] = counts.map(() => []);
        for (let round = -1; round < rounds; round++) {
          for (const [at, count] of counts.entries()) {
            const start = performance.now();
            const { ranker, complete } = await shelfwise.rerank(candidates.slice(0, count), { deadlineMs: patienceMs });
            const elapsed = performance.now() - start;
            if (ranker !== 'device' || !complete) throw new Error('The device did not rank every candidate.');
            if (round >= 0) times[at]!.push(elapsed); // the first round compiles
          }
        }
        return times;
      },
      { candidates, counts: COUNTS, rounds: CACHED_ROUNDS, patienceMs: PATIENCE_MS },
    ),
  );
  return COUNTS.flatMap((count, at) => {
    const name = `${device}, ${count} cached candidates`;
    const limited = device === 'wasm' && count === MOST ? { goal: MOST_CACHED_MS } : {};
    return [summarise({ name: `${name}: p50`, unit, ours: times[at]! }), summarise({ name: `${name}: p95`, unit, ours: times[at]!, at: 0.95, ...limited })];
  });
}

interface UnseenTimes {
  /** [counts][rounds] until the first slate, at the default deadline, and until one that is complete. */
  readonly first: number[][];
  readonly complete: number[][];
  /** Longest task of the main thread over 50 ms, and the time a message to itself takes, while 500 are encoded. */
  readonly longestTask: number;
  readonly pings: number[];
  /** Slates of a few cached candidates, asked for one after another while 500 titles are encoded. */
  readonly between: number[];
}

/** Candidates whose titles nobody has seen, as on a shopper's first page, and what the main thread feels of 500 of them. */
async function measureUnseen(shop: DemoShop, candidates: readonly Candidate[]): Promise<BenchRow[]> {
  const { first, complete, longestTask, pings, between } = await withShopper(shop, candidates, 'wasm', (page) => page.evaluate(timeUnseen, { candidates, counts: COUNTS, rounds: ROUNDS, patienceMs: PATIENCE_MS }));
  return [
    ...COUNTS.flatMap((count, at) => [
      summarise({ name: `${count} items never seen: first slate`, unit, ours: first[at]! }),
      summarise({ name: `${count} items never seen: complete slate`, unit, ours: complete[at]! }),
    ]),
    summarise({ name: `longest main-thread task over ${LONG_TASK_MS} ms while ${MOST} titles are encoded`, unit, ours: [longestTask], goal: LONG_TASK_MS }),
    summarise({ name: `MessageChannel ping while ${MOST} titles are encoded: p99`, unit, ours: pings, at: 0.99, goal: FRAME_MS }),
    summarise({ name: `${COUNTS[0]} cached candidates while ${MOST} titles are encoded: p95`, unit, ours: between, at: 0.95, goal: MOST_WAIT_MS }),
  ];
}

/** In the page. No named functions in here: tsx marks them with a helper that the page does not have. */
async function timeUnseen({ candidates, counts, rounds, patienceMs }: { candidates: readonly Candidate[]; counts: readonly number[]; rounds: number; patienceMs: number }): Promise<UnseenTimes> {
  const first: number[][] = counts.map(() => []);
  const complete: number[][] = counts.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [at, count] of counts.entries()) {
      const unseen = candidates.slice(0, count).map((item) => ({ ...item, title: `${item.title ?? ''} ${round} ${count}` }));
      const start = performance.now();
      let slate = await shelfwise.rerank(unseen);
      const firstMs = performance.now() - start;
      if (!slate.complete) slate = await shelfwise.rerank(unseen, { deadlineMs: patienceMs });
      const completeMs = performance.now() - start;
      if (slate.ranker !== 'device' || !slate.complete) throw new Error('The device did not rank every candidate.');
      if (round < 0) continue; // compiles
      first[at]!.push(firstMs);
      complete[at]!.push(completeMs);
    }
  }

  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ entryTypes: ['longtask'] });
  const pings: number[] = [];
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = () => port2.postMessage(null);
  let sent = performance.now();
  let isOver = false;
  port1.onmessage = () => {
    pings.push(performance.now() - sent);
    if (isOver) return;
    setTimeout(() => {
      sent = performance.now();
      port1.postMessage(null);
    }, 1);
  };
  port1.postMessage(null);
  await shelfwise.rerank(candidates.map((item) => ({ ...item, title: `${item.title ?? ''} again` })), { deadlineMs: patienceMs });
  isOver = true;
  await new Promise((resolve) => setTimeout(resolve, 200)); // entries arrive after their task
  observer.disconnect();
  port1.close();

  const cached = candidates.slice(0, counts[0]);
  await shelfwise.rerank(cached, { deadlineMs: patienceMs });
  const encoding = { isDone: false };
  void shelfwise.rerank(candidates.map((item) => ({ ...item, title: `${item.title ?? ''} once more` })), { deadlineMs: patienceMs }).then(() => (encoding.isDone = true));
  const between: number[] = [];
  while (!encoding.isDone) {
    const start = performance.now();
    await shelfwise.rerank(cached, { deadlineMs: patienceMs });
    between.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { first, complete, longestTask: Math.max(0, ...tasks), pings, between };
}
