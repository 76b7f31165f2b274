import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import type { Consent } from 'shelfwise';
import { launchShopper } from '../helpers/chromium.ts';

declare global {
  interface Window {
    /** Every layout shift of the page so far. */
    shifts: number[];
  }
}

/** The demo shop as a visitor sees it, in a browser of its own for each test. */
const test = base.extend<{ context: BrowserContext }>({
  // Playwright wants the pattern, even of nothing.
  context: async ({}, use) => {
    const context = await launchShopper();
    await use(context);
    await context.close();
  },
});

const PAGES = [
  { name: 'home', path: '/', slot: 'home' },
  { name: 'product', path: '/product/85123A', slot: 'product' },
  { name: 'search', path: '/search?q=red%20mug', slot: 'search' },
  { name: 'department', path: '/department/christmas', slot: 'search' },
  { name: 'basket', path: '/basket', slot: 'basket' },
] as const;

async function openWith(context: BrowserContext, address: string, consent: Consent | null): Promise<Page> {
  const page = await context.newPage();
  if (consent !== null) await page.addInitScript((value) => localStorage.setItem('marlow-wren:consent', value), consent);
  await page.goto(address);
  await page.locator('[data-slot] [data-item-id]').first().waitFor();
  return page;
}

/** Ids of a shelf, first to last. */
function order(page: Page, slot = 'home'): Promise<string[]> {
  return page
    .locator(`[data-slot="${slot}"]`)
    .first()
    .locator('[data-item-id]')
    .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-item-id') ?? ''));
}

/** Waits until the device has arranged the first shelf. */
async function untilRanked(page: Page): Promise<void> {
  await page.locator('[data-slot][data-ranker="device"]').first().waitFor({ timeout: 60_000 });
}

for (const { name, path, slot } of PAGES) {
  for (const width of [390, 1440]) {
    test(`the ${name} page stands at ${width} pixels`, async ({ context, baseURL }) => {
      const complaints: string[] = [];
      context.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      context.on('weberror', (error) => complaints.push(error.error().message));
      const page = await openWith(context, new URL(path, baseURL).href, 'denied');
      await page.setViewportSize({ width, height: 844 });

      await expect(page.locator('h1')).toHaveCount(1);
      const shelf = page.locator(`[data-slot="${slot}"]`).first();
      await expect(shelf.locator('[data-item-id]').first()).toBeVisible();
      const positions = await shelf.locator('[data-item-id]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-server-position')));
      expect(positions).toEqual(positions.map((_, position) => String(position)));
      // Nothing sticks out sideways on a phone.
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(await page.evaluate(() => typeof window.shelfwise.rerank)).toBe('function');
      expect(complaints).toEqual([]);
    });
  }
}

test('the banner asks once, and denied keeps nothing', async ({ context, baseURL }) => {
  const page = await openWith(context, baseURL!, null);
  const banner = page.getByRole('complementary', { name: 'Your privacy' });
  await expect(banner).toBeVisible();
  expect(await page.evaluate(() => window.shelfwise.consent)).toBe('denied');
  await banner.getByRole('button', { name: 'No, thank you' }).click();
  await expect(banner).toBeHidden();
  await page.locator('[data-item-id] a').first().click();
  await page.locator('[data-slot="product"] [data-item-id]').first().waitFor();
  expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  await page.reload();
  await page.locator('[data-item-id]').first().waitFor();
  await expect(banner).toBeHidden();
});

test('shelves re-order after behaviour, show where cards came from, and shift no layout', async ({ context, baseURL }) => {
  await context.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if ('value' in entry && typeof entry.value === 'number') window.shifts.push(entry.value);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const page = await openWith(context, baseURL!, 'granted');
  await untilRanked(page);
  const before = await order(page);
  const ids = await page.locator('[data-slot="search"] [data-item-id]').evaluateAll((cards) => cards.slice(0, 3).map((card) => card.getAttribute('data-item-id')));
  // Tracked by the shop's own script, so that no click excuses a shift.
  await page.evaluate(async (items) => {
    for (const id of items) {
      const { product } = (await (await fetch(`/api/product?id=${id ?? ''}`)).json()) as { product: { id: string } };
      await window.shelfwise.track({ type: 'view', item: product });
    }
  }, ids);
  await page.getByRole('button', { name: 'Inside', exact: true }).click();
  await page.getByRole('button', { name: 'Server order' }).click();
  const server = await order(page);
  await expect(page.locator('[data-slot="home"] .badge:visible')).toHaveCount(0);
  await page.getByRole('button', { name: 'Server order' }).click();
  await expect.poll(() => order(page)).not.toEqual(server);
  await expect.poll(() => order(page)).not.toEqual(before);
  const moved = page.locator('[data-slot="home"] [data-item-id]').filter({ has: page.locator('.badge:visible') }).first();
  const from = Number(await moved.getAttribute('data-server-position'));
  const badge = (await moved.locator('.badge').textContent()) ?? '';
  const now = (await order(page)).indexOf((await moved.getAttribute('data-item-id')) ?? '');
  expect(badge).toBe(`${from > now ? '▲' : '▼'}${Math.abs(from - now)}`);
  expect(await page.evaluate(() => window.shifts.reduce((sum, value) => sum + value, 0))).toBeLessThan(0.01);
});

test('a card in the basket re-orders its own shelf, and the focus stays where it was', async ({ context, baseURL }) => {
  const page = await openWith(context, baseURL!, 'granted');
  await untilRanked(page);
  const before = await order(page);
  const card = page.locator('[data-slot="home"] [data-item-id]').nth(5);
  const id = await card.getAttribute('data-item-id');
  await card.locator('.add').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => order(page)).not.toEqual(before);
  expect(await page.evaluate(() => document.activeElement?.closest('[data-item-id]')?.getAttribute('data-item-id'))).toBe(id);
  expect(await page.evaluate(() => document.activeElement?.className)).toContain('add');
  await expect(page.getByRole('link', { name: 'Basket, 1 piece' })).toBeVisible();
});

test('why shows the formula with live values', async ({ context, baseURL }) => {
  const page = await openWith(context, baseURL!, 'granted');
  await untilRanked(page);
  const before = await order(page);
  await page.locator('[data-slot="home"] .add').nth(3).click();
  await expect.poll(() => order(page)).not.toEqual(before);
  await page.locator('[data-slot="home"] .why').first().click();
  const dialog = page.getByRole('dialog', { name: 'Why is this here?' });
  await expect(dialog.locator('.equation-value')).toHaveText(/^-?\d+\.\d{3}$/);
  await expect(dialog.locator('.strip')).toHaveCount(3);
  await expect(dialog.locator('.trend-point')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('the inside panel shows log, predictions, device, requests; export and erase work', async ({ context, baseURL }) => {
  const page = await openWith(context, new URL('/product/85123A', baseURL).href, 'granted');
  await untilRanked(page);
  await page.getByRole('button', { name: 'Inside', exact: true }).click();
  const panel = page.getByRole('complementary', { name: 'Inside Shelfwise' });
  await expect(panel.locator('.log li').filter({ hasText: 'White Hanging Heart T-Light Holder' })).not.toHaveCount(0);
  await expect(panel.locator('.next i')).toHaveCount(5);
  await expect(panel.locator('.timings dd')).toHaveCount(5);
  await expect(panel.locator('.requests li').filter({ hasText: 'item=85123A' })).not.toHaveCount(0);
  await expect(panel.locator('.requests li').filter({ hasText: '/models/online-retail/pack.json' })).not.toHaveCount(0);
  const [download] = await Promise.all([page.waitForEvent('download'), panel.getByRole('button', { name: 'Export' }).click()]);
  expect(download.suggestedFilename()).toBe('shelfwise-export.json');
  await panel.getByRole('button', { name: 'Erase' }).click();
  await expect(panel.locator('.log')).toContainText('Nothing is kept');
});

test('a new shopper’s department is ranked by its name, with the pack of a shop without logs', async ({ context, baseURL }) => {
  const page = await openWith(context, new URL('/department/lighting?pack=shop-en', baseURL).href, 'granted');
  await untilRanked(page);
  expect(await page.evaluate(async () => (await window.shelfwise.status()).packs.map(({ name }) => name))).toEqual(['shop-en', 'encoder-en']);
  await page.locator('[data-slot="search"] .why').first().click();
  const dialog = page.getByRole('dialog', { name: 'Why is this here?' });
  await expect(dialog.locator('.equation-value')).toHaveText(/^-?\d+\.\d{3}$/);
  await expect(dialog.locator('tr').filter({ hasText: 'textLast' })).toHaveText(/\d\.\d{3}$/);
  const kept = await page.evaluate(async () => (await window.shelfwise.exportData()).behaviour.map(({ payload }) => payload.type));
  expect(kept.filter((type) => type !== 'impression')).toEqual([]);
});

test('a forced device survives navigation', async ({ context, baseURL }) => {
  const page = await openWith(context, new URL('/?device=reference', baseURL).href, 'denied');
  await page.locator('[data-slot="home"] a').first().click();
  await page.locator('[data-slot="product"] [data-item-id]').first().waitFor();
  expect(new URL(page.url()).searchParams.get('device')).toBe('reference');
  await page.getByRole('link', { name: /^Basket/ }).click();
  await expect(page).toHaveURL(/\/basket\?device=reference$/);
});

test('the server answers a malformed question with one clear line', async ({ request }) => {
  for (const [query, line] of [
    ['slot=attic', 'slot must be one of home, product, search, basket'],
    ['slot=home&limit=501', 'limit must be a whole number from 1 to 500'],
    ['slot=product', 'slot=product needs an item'],
    ['slot=product&item=__proto__', 'item "__proto__" is not in the catalogue'],
    ['slot=search', 'slot=search needs q or category'],
  ] as const) {
    const response = await request.get(`/api/candidates?${query}`);
    expect(response.status(), query).toBe(400);
    expect(await response.json()).toEqual({ error: line });
  }
});
