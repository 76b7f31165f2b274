import type { BrowserContext, Page } from '@playwright/test';
import { build, preview } from 'vite';
import type { Item, Recommender } from '../src/index.ts';
import { launchShopper, type ShopperLaunch } from '../test/helpers/chromium.ts';
import type { Evaluates } from './plain-browser.ts';

declare global {
  // What the demo shop offers to tools like this one.
  var shelfwise: Recommender;
}

/** Long enough that no slate is cut short: what is measured is the whole work. */
export const PATIENCE_MS = 240_000;

/** The demo shop, built and served, and browsers to visit it with. */
export interface DemoShop {
  readonly address: string;
  /** A new shopper on the home page; close the context when done. */
  visit(path?: string, launch?: ShopperLaunch): Promise<{ readonly context: BrowserContext; readonly page: Page }>;
  close(): Promise<void>;
}

/** One build serves all benches of a run. */
let built: Promise<void> | undefined;

async function buildShop(): Promise<void> {
  console.log('building the demo shop …');
  await build({ logLevel: 'warn' });
}

/** Builds the demo shop and serves it on a port that the system chooses. */
export async function openDemoShop(): Promise<DemoShop> {
  await (built ??= buildShop());
  const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port: 0 } });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error('The demo shop is served at no address.');
  return {
    address,
    async visit(path = '', launch) {
      const context = await launchShopper(launch);
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(new URL(path, address).href);
      return { context, page };
    },
    close: () => server.close(),
  };
}

/** Gives consent and clicks on these items; resolves, with the device that scores, once slates come from the device. */
export async function startShopper(page: Evaluates, viewed: readonly Item[]): Promise<string> {
  return page.evaluate(
    async ({ viewed, patienceMs }) => {
      await shelfwise.setConsent('session');
      const start = performance.now();
      while ((await shelfwise.rerank(viewed, { deadlineMs: patienceMs })).ranker !== 'device') {
        if (performance.now() - start > patienceMs) throw new Error('The device never ranked.');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      for (const item of viewed) await shelfwise.track({ type: 'view', item });
      return (await shelfwise.status()).devices.score.device;
    },
    { viewed, patienceMs: PATIENCE_MS },
  );
}
