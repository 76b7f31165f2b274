import type { BrowserContext, Page } from '@playwright/test';
import { build, preview } from 'vite';
import type { Recommender } from '../src/index.ts';
import { launchShopper } from '../test/helpers/chromium.ts';

declare global {
  // What the demo shop offers to tools like this one.
  var shelfwise: Recommender;
}

/** The demo shop, built and served, and browsers to visit it with. */
export interface DemoShop {
  readonly address: string;
  /** A new shopper on the home page; close the context when done. */
  visit(path?: string): Promise<{ readonly context: BrowserContext; readonly page: Page }>;
  close(): Promise<void>;
}

/** Builds the demo shop and serves it on a port that the system chooses. */
export async function openDemoShop(): Promise<DemoShop> {
  console.log('building the demo shop …');
  await build({ logLevel: 'warn' });
  const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port: 0 } });
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error('The demo shop is served at no address.');
  return {
    address,
    async visit(path = '') {
      const context = await launchShopper();
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(new URL(path, address).href);
      return { context, page };
    },
    close: () => server.close(),
  };
}
