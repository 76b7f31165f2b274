import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { launchShopper } from '../helpers/chromium.ts';
import type {} from '../e2e/pages/page.ts';

function address(query = ''): string {
  const pages = process.env['SHELFWISE_PAGES_URL'];
  if (pages === undefined) throw new Error('SHELFWISE_PAGES_URL is set by playwright.config.ts.');
  return new URL(`page.html${query}`, pages).href;
}

const view = (page: Page, id: string): Promise<string> => page.evaluate((item) => window.recommender.track({ type: 'view', item: { id: item } }), id);

const viewed = (page: Page): Promise<(string | number | undefined)[]> =>
  page.evaluate(async () => (await window.recommender.exportData()).behaviour.map(({ payload }) => payload.item?.id));

const reported = (page: Page): Promise<string[]> => page.evaluate(() => window.reported);

/** Ids in their new order, and why it is the server's. */
const rerank = (page: Page): Promise<[string, string | undefined]> =>
  page.evaluate(async () => {
    const slate = await window.recommender.rerank([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    return [slate.items.map(({ item }) => item.id).join(''), slate.fallback?.code];
  });

test.describe('a page with a recommender, when things break', () => {
  let context: BrowserContext;

  test.beforeEach(async () => {
    context = await launchShopper();
  });

  test.afterEach(async () => {
    await context.close();
  });

  test('a worker script that is not there: the server’s order, and the next page stores what was tracked', async () => {
    const page = await context.newPage();
    await page.goto(address('?worker=/missing.js'));
    expect(await view(page, 'c')).toBe('dropped');
    expect(await rerank(page)).toEqual(['abc', 'WORKER_FAILED']);
    await page.goto(address());
    await expect.poll(() => viewed(page)).toEqual(['c']);
  });

  test('a content security policy without workers: the server’s order', async () => {
    const page = await context.newPage();
    await page.route('**/page.html', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': "worker-src 'none'" } });
    });
    await page.goto(address());
    expect(await rerank(page)).toEqual(['abc', 'WORKER_FAILED']);
    expect(await view(page, 'c')).toBe('dropped');
    expect((await page.evaluate(() => window.recommender.status())).devices.encode.why).toContain('did not answer');
  });

  test('site data cleared under an open page: the next event is stored in a new database', async () => {
    const page = await context.newPage();
    await page.goto(address());
    await view(page, 'b');
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: new URL(address()).origin, storageTypes: 'all' });
    await expect.poll(() => view(page, 'c')).toBe('stored');
    const ids = await viewed(page);
    expect(ids).not.toContain('b');
    expect(ids).toContain('c');
  });

  test('a full disk: events are dropped with the reason, and stored again once there is room', async () => {
    const page = await context.newPage();
    const { origin } = new URL(address());
    const session = await context.newCDPSession(page);
    // Before the first write: Chromium remembers for a while how much room there was.
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    await page.goto(address());
    expect(await view(page, 'b')).toBe('dropped');
    expect(await reported(page)).toContain('fallback STORAGE_FAILED');
    expect(await rerank(page)).toMatchObject(['abc']);
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await expect.poll(() => view(page, 'c'), { timeout: 60_000 }).toBe('stored');
    expect((await rerank(page))[0]).toBe('cab');
  });

  test('a newer version of the shop in another tab is not held up, and this tab says what to do', async () => {
    const page = await context.newPage();
    await page.goto(address());
    await view(page, 'b');
    const newer = await context.newPage();
    await newer.goto(address('?consent=denied'));
    const version = await newer.evaluate(
      () =>
        new Promise<number>((resolve, reject) => {
          const request = indexedDB.open('shelfwise', 1_000);
          request.onsuccess = () => resolve(request.result.version);
          request.onerror = () => reject(request.error ?? new Error('The request failed.'));
        }),
    );
    expect(version).toBe(1_000);
    expect(await view(page, 'c')).toBe('dropped');
    expect(await reported(page)).toEqual(['fallback STORAGE_FAILED']);
  });
});
