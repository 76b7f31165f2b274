import { chromium, type Browser } from '@playwright/test';
import { CHROMIUM_FLAGS, findChromium } from '../test/helpers/chromium.ts';
import { summarise, type BenchResult } from './harness.ts';
import { ROUNDS, withPages } from './pages.ts';
import type {} from './page/cold/answer.ts';

const CONTENDERS = ['shelfwise', 'onnxruntime', 'tfjs-webgpu', 'tfjs-wasm'] as const;
type Contender = (typeof CONTENDERS)[number];
const PATIENCE_MS = 60_000;
const TOLERANCE = 1e-4;

/**
 * From the navigation to the first useful answer on a page that has only this to do: code, WebAssembly and weights are fetched from a
 * local server, an LSTM reads ten behaviours, 500 items are scored. Every visit has a context of its own, with empty caches.
 */
export async function cold(): Promise<BenchResult> {
  return withPages(async ({ address }) => {
    console.log('first answers of four pages …');
    const executablePath = findChromium();
    const browser = await chromium.launch({ args: [...CHROMIUM_FLAGS], ...(executablePath === undefined ? {} : { executablePath }) });
    try {
      const times = Object.fromEntries(CONTENDERS.map((name) => [name, [] as number[]])) as Record<Contender, number[]>;
      let expected: readonly number[] | undefined;
      for (let round = -1; round < ROUNDS; round++) {
        for (let turn = 0; turn < CONTENDERS.length; turn++) {
          const name = CONTENDERS[(round + 1 + turn) % CONTENDERS.length]!;
          const { scores, milliseconds } = await visit(browser, new URL(`cold/${name}.html`, address).href);
          expected ??= scores;
          const difference = Math.max(...expected.map((score, item) => Math.abs(score - (scores[item] ?? NaN))));
          if (!(difference <= TOLERANCE)) throw new Error(`${name} differs by ${difference}: the work is not the same.`);
          if (round >= 0) times[name].push(milliseconds); // the first round warms the server's and the system's file caches
        }
      }
      const ours = times.shelfwise;
      const unit = 'ms';
      return {
        rows: [
          summarise({ name: 'first answer after navigation / onnxruntime-web', unit, ours, peer: times.onnxruntime, goal: 0.35, aim: 0.2 }),
          summarise({ name: 'first answer after navigation / tfjs-webgpu', unit, ours, peer: times['tfjs-webgpu'], goal: 0.3, aim: 0.15 }),
          summarise({ name: 'first answer after navigation / tfjs-wasm', unit, ours, peer: times['tfjs-wasm'] }),
        ],
        tables: [],
      };
    } finally {
      await browser.close();
    }
  });
}

async function visit(browser: Browser, url: string): Promise<typeof globalThis.answer> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const failed = new Promise<never>((_, reject) => page.once('pageerror', reject));
    await page.goto(url, { waitUntil: 'commit' });
    await Promise.race([page.waitForFunction(() => 'answer' in globalThis, null, { timeout: PATIENCE_MS }), failed]);
    return await page.evaluate(() => globalThis.answer);
  } finally {
    await context.close();
  }
}
