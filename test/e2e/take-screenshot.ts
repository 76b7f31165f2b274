/**
 * Takes the README's picture of the demo shop, after a short visit to the tea things: `npx vite build && npx vite preview`,
 * then `npx tsx test/e2e/take-screenshot.ts ADDRESS`, which writes demo/screenshot.png.
 */
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { launchShopper } from '../helpers/chromium.ts';

const VISIT = ['/', '/product/22423', '/search?q=teapot', '/product/22699', '/'];

async function takeScreenshot(address: string): Promise<void> {
  const context = await launchShopper();
  const page = await context.newPage();
  await page.setViewportSize({ width: 1180, height: 700 });
  await page.addInitScript(() => localStorage.setItem('marlow-wren:consent', 'granted'));
  for (const path of VISIT) {
    await page.goto(new URL(path, address).href);
    await untilRanked(page);
  }
  await page.getByRole('button', { name: 'Inside', exact: true }).click();
  await page.locator('[data-slot="home"]').evaluate((shelf) => scrollTo(0, shelf.getBoundingClientRect().top - 84));
  await page.locator('.next i').first().waitFor();
  // The animations end.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.locator('.inside [role="status"]:empty').waitFor({ state: 'attached' });
  await page.screenshot({ path: fileURLToPath(new URL('../../demo/screenshot.png', import.meta.url)) });
  await context.close();
}

async function untilRanked(page: Page): Promise<void> {
  await page.locator('[data-slot][data-ranker="device"]').first().waitFor({ timeout: 60_000 });
}

const [address] = process.argv.slice(2);
if (address === undefined) throw new Error('Say at which address the demo shop is served.');
void takeScreenshot(address);
