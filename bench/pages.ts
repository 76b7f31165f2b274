import type { BrowserContext, Page } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { launchShopper, type ShopperLaunch } from '../test/helpers/chromium.ts';
import type {} from './page/main.ts';

/** Rounds of every comparison with peers; `BENCH_ROUNDS` changes them while a bench is being written. */
export const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);

/** The measurements that a page offers. */
export type PageBench = typeof globalThis.bench;

const PAGES = ['index', 'cold/shelfwise', 'cold/onnxruntime', 'cold/tfjs-webgpu', 'cold/tfjs-wasm'];

const CONFIG = fileURLToPath(new URL('page/vite.config.ts', import.meta.url));

/** The benches' own pages, built and served. */
export interface BenchPages {
  readonly address: string;
  /** A new browser on one of the pages; close the context when done. */
  visit(path: string, launch?: ShopperLaunch): Promise<{ readonly context: BrowserContext; readonly page: Page }>;
  /** Runs one of the page's measurements in a browser of its own, so that none finds what another left behind. */
  measure<Name extends keyof PageBench>(name: Name, ...args: Parameters<PageBench[Name]>): Promise<Awaited<ReturnType<PageBench[Name]>>>;
}

/** One build serves all benches of a run. */
let built: Promise<void> | undefined;

async function buildPages(): Promise<void> {
  console.log('building the pages of the benches …');
  for (const mode of PAGES) await build({ configFile: CONFIG, mode, logLevel: 'error' });
}

/** Serves the pages for as long as `work` takes. */
export async function withPages<T>(work: (pages: BenchPages) => Promise<T>): Promise<T> {
  await (built ??= buildPages());
  const server = await preview({ configFile: CONFIG, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error('The benches’ pages are served at no address.');
  const visit: BenchPages['visit'] = async (path, launch) => {
    const context = await launchShopper(launch);
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(new URL(path, address).href);
    return { context, page };
  };
  try {
    return await work({
      address,
      visit,
      async measure(name, ...args) {
        const { context, page } = await visit('index.html');
        try {
          await page.waitForFunction(() => 'bench' in globalThis);
          const run = ({ name, args }: { name: keyof PageBench; args: readonly unknown[] }): unknown => (globalThis.bench[name] as (...args: readonly unknown[]) => unknown)(...args);
          return (await page.evaluate(run, { name, args })) as never;
        } finally {
          await context.close();
        }
      },
    });
  } finally {
    await server.close();
  }
}
