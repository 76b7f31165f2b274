import { readFileSync } from 'node:fs';
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { ensureHuggingFaceLayout } from '../../scripts/hugging-face/write-layout.ts';
import { launchShopper } from '../helpers/chromium.ts';
import type {} from './pages/transformers.ts';

/** The texts of the parity test: titles, and whatever is hard to cut into tokens. */
const { texts } = JSON.parse(readFileSync('test/parity/encoder-texts.json', 'utf8')) as { texts: readonly string[] };

const LIBRARIES = [
  { name: '@xenova/transformers', major: '2' },
  { name: '@huggingface/transformers', major: '4' },
] as const;

let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  await ensureHuggingFaceLayout('models/encoder-en', 'build/hugging-face/encoder-en');
  context = await launchShopper();
});

test.beforeEach(async () => {
  page = await context.newPage();
  await page.goto(new URL('transformers.html', process.env['SHELFWISE_PAGES_URL']).href);
  await page.waitForFunction(() => 'transformersPage' in window);
});

test.afterEach(() => page.close());
test.afterAll(() => context.close());

for (const { name, major } of LIBRARIES) {
  // Cutting a text at 128 tokens, transformers.js also cuts the last [SEP] off. In int8 the activations are rounded too, with one scale for all tokens of a batch.
  for (const { dtype, least, mean } of [{ dtype: 'fp32', least: 0.995, mean: 0.9999 }, { dtype: 'q8', least: 0.95, mean: 0.99 }] as const) {
    test(`${name} reads the same weights in ${dtype}`, async () => {
      const foreign: string[] = [];
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== new URL(page.url()).origin) foreign.push(request.url());
      });
      const answer = await page.evaluate(([library, precision, all]) => window.transformersPage.compare(library, precision, all), [name, dtype, texts] as const);
      expect(answer.version.split('.')[0]).toBe(major);
      expect(answer.revision).toBe(answer.ourRevision);
      expect(answer.cosines).toHaveLength(200);
      const lowest = Math.min(...answer.cosines);
      const average = answer.cosines.reduce((sum, cosine) => sum + cosine, 0) / answer.cosines.length;
      console.log(`${name} ${answer.version} ${dtype}: cosine to our encoder ${average.toFixed(6)} on average, ${lowest.toFixed(6)} at least, over 200 texts`);
      expect(lowest).toBeGreaterThan(least);
      expect(average).toBeGreaterThan(mean);
      expect(foreign.filter((url) => /^https?:/.test(url))).toEqual([]);
    });
  }

  test(`${name} without its files fails with what to do`, async () => {
    expect(await page.evaluate((library) => window.transformersPage.loadMissing(library), name)).toMatch(/could not load no-such-model.*env says where/s);
  });
}

/** Ids of the home shelf, first to last. */
function order(shop: Page): Promise<(string | null)[]> {
  return shop.locator('[data-slot="home"] [data-item-id]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-item-id')));
}

/** A visit: home, a search, a product, home again; gives the shelf as the device arranges it when all titles are read. */
async function visit(shop: Page, address: string): Promise<(string | null)[]> {
  await shop.addInitScript(() => localStorage.setItem('marlow-wren:consent', 'granted'));
  await shop.goto(address);
  const shelf = shop.locator('[data-slot="home"][data-ranker="device"]').first();
  await shelf.waitFor();
  await shop.getByRole('searchbox', { name: 'Search' }).fill('red retrospot mug');
  await shop.keyboard.press('Enter');
  // The server's first: which product the device puts first may depend on the encoder's arithmetic.
  await shop.locator('[data-slot="search"][data-ranker="device"] [data-server-position="0"] a').first().click();
  await shop.locator('[data-slot="product"][data-ranker="device"]').first().waitFor();
  await shop.getByRole('link', { name: 'Marlow & Wren' }).click();
  await shelf.waitFor();
  await expect.poll(() => shop.evaluate(async () => (await window.shelfwise.status()).queue.encoding), { timeout: 200_000 }).toBe(0);
  await shop.reload();
  await shelf.waitFor();
  return order(shop);
}

test.describe('the shop on transformers.js', () => {
  test.describe.configure({ timeout: 300_000 }); // Every title is read on one thread, twice.

  test('arranges its shelves as with the built-in encoder', async ({ baseURL }) => {
    const shop = await context.newPage();
    const arranged = await visit(shop, new URL('/?encoder=transformers', baseURL).href);
    const status = await shop.evaluate(() => window.shelfwise.status());
    expect(status.devices.encode.device).toBe('own');
    expect(status.devices.score.device).not.toBe('none');
    const server = await shop.locator('[data-slot="home"] [data-item-id]').evaluateAll((cards) => cards.map((card) => Number(card.getAttribute('data-server-position'))));
    expect(server).not.toEqual([...server].sort((a, b) => a - b));
    await shop.close();

    const other = await launchShopper();
    const builtIn = await visit(await other.newPage(), baseURL!);
    await other.close();
    // The built-in encoder computes in int8 here, transformers.js in float32.
    const shared = arranged.filter((id) => builtIn.includes(id));
    console.log(`${shared.length} of ${arranged.length} products of the shelf are the built-in encoder's`);
    expect(shared.length).toBeGreaterThanOrEqual(0.8 * arranged.length);
  });

  test('is switched on and off in the inside panel', async ({ baseURL }) => {
    const shop = await context.newPage();
    await shop.addInitScript(() => localStorage.setItem('marlow-wren:consent', 'denied'));
    await shop.goto(baseURL!);
    const encoders = shop.getByRole('group', { name: 'Encoder' });
    const chosen = encoders.locator('[aria-pressed="true"]');
    const openPanel = (): Promise<void> => shop.getByRole('button', { name: 'Inside', exact: true }).click();
    await openPanel();
    await expect(chosen).toHaveText('Built-in encoder');
    await encoders.getByRole('button', { name: 'transformers.js' }).click();
    await expect(shop).toHaveURL(/[?&]encoder=transformers$/);
    await openPanel();
    await expect(chosen).toHaveText('transformers.js');
    await shop.locator('[data-slot="home"] [data-item-id] a').first().evaluate((link: HTMLElement) => link.click());
    await expect(shop).toHaveURL(/\/product\/.*encoder=transformers$/);
    await encoders.getByRole('button', { name: 'Built-in encoder' }).click();
    await expect(shop).not.toHaveURL(/encoder/);
    await shop.close();
  });
});
