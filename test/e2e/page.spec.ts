import { chromium, expect, test, type BrowserContext, type Page } from '@playwright/test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM_FLAGS, findChromium, launchShopper } from '../helpers/chromium.ts';
import type {} from './pages/page.ts';

const CANDIDATES = ['a', 'b', 'c', 'd'].map((id) => ({ id, title: `Item ${id}` }));
// The heartbeat finds a silent worker after 4 seconds; a crowded machine takes its time.
const RESTART = { timeout: 30_000 };

function address(query = ''): string {
  const pages = process.env['SHELFWISE_PAGES_URL'];
  if (pages === undefined) throw new Error('SHELFWISE_PAGES_URL is set by playwright.config.ts.');
  return new URL(`page.html${query}`, pages).href;
}

async function openPage(context: BrowserContext, query = ''): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address(query));
  return page;
}

const view = (page: Page, id: string): Promise<string> => page.evaluate((item) => window.recommender.track({ type: 'view', item: { id: item } }), id);

const viewed = (page: Page): Promise<(string | number | undefined)[]> =>
  page.evaluate(async () => (await window.recommender.exportData()).behaviour.map(({ payload }) => payload.item?.id));

const role = (page: Page): Promise<string> => page.evaluate(async () => (await window.recommender.status()).devices.sequence.why);

/** Ids in their new order, and who ranked. */
function rerank(page: Page, options: { query?: string; deadlineMs?: number } = {}): Promise<{ ids: string; ranker: string; code: string | undefined }> {
  return page.evaluate(
    async ({ candidates, query, deadlineMs }) => {
      const slate = await window.recommender.rerank(candidates, {
        ...(query !== undefined && { context: { query } }),
        ...(deadlineMs !== undefined && { deadlineMs }),
      });
      return { ids: slate.items.map(({ item }) => item.id).join(''), ranker: slate.ranker, code: slate.fallback?.code };
    },
    { candidates: CANDIDATES, ...options },
  );
}

test.describe('a page with a recommender', () => {
  let context: BrowserContext;

  test.beforeEach(async () => {
    context = await launchShopper();
  });

  test.afterEach(async () => {
    await context.close();
  });

  test('stores what is tracked, and the next page starts with it', async () => {
    const page = await openPage(context);
    expect(await view(page, 'c')).toBe('stored');
    expect(await rerank(page)).toEqual({ ids: 'cabd', ranker: 'device', code: undefined });
    await page.reload();
    expect((await rerank(page)).ids).toBe('cabd');
  });

  test('lists its own code among the requests it made, with their bytes', async () => {
    const page = await openPage(context);
    const { ledger } = await page.evaluate(() => window.recommender.status());
    expect(ledger.map(({ url }) => new URL(url).pathname)).toContain('/test/e2e/pages/page.worker.ts');
    for (const { bytes, reason } of ledger) {
      expect(bytes).toBeGreaterThan(0);
      expect(reason).toBe('code of the recommender');
    }
  });

  test('an event tracked just before a full-page navigation is in the next page’s log, once', async () => {
    const page = await openPage(context);
    const tracked: string[] = [];
    for (let visit = 0; visit < 8; visit++) {
      const ids = [`${visit}-first`, `${visit}-second`];
      tracked.push(...ids);
      // Every second page leaves before its worker has even started.
      if (visit % 2 === 0) await page.evaluate(() => window.recommender.status());
      const next = page.waitForEvent('load');
      await page.evaluate(
        ({ items, to }) => {
          for (const id of items) void window.recommender.track({ type: 'view', item: { id } });
          location.assign(to);
        },
        { items: ids, to: address(`?visit=${visit}`) },
      );
      await next;
      await expect.poll(() => viewed(page)).toEqual(tracked);
    }
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  test('two tabs share one history, one of them writes, and the other takes its place', async () => {
    const [first, second] = [await openPage(context), await openPage(context)];
    await expect.poll(() => role(first)).toBe('writer');
    expect(await role(second)).toBe('reader');
    await view(second, 'd');
    await expect.poll(() => first.evaluate(() => window.reported)).toContain('changed appended');
    expect((await rerank(first)).ids).toBe('dabc');
    await first.close();
    await expect.poll(() => role(second)).toBe('writer');
  });

  test('a worker that dies in the middle of a request costs that request alone', async () => {
    const page = await openPage(context);
    await view(page, 'b');
    expect(await rerank(page, { query: 'dies' })).toEqual({ ids: 'abcd', ranker: 'server', code: 'WORKER_FAILED' });
    expect(await page.evaluate(() => window.reported)).toEqual(['fallback WORKER_FAILED', 'fallback WORKER_FAILED']);
    expect((await rerank(page)).ids).toBe('bacd');
  });

  test('a blocked worker never keeps the page waiting, and its events are stored by the next', async () => {
    const page = await openPage(context);
    await view(page, 'b');
    const blocked = await rerank(page, { query: 'blocks', deadlineMs: 50 });
    expect(blocked).toEqual({ ids: 'abcd', ranker: 'server', code: 'DEADLINE' });
    const stored = view(page, 'c');
    expect(await rerank(page, { deadlineMs: 50 })).toMatchObject({ ids: 'abcd', ranker: 'server' });
    expect(await stored).toBe('stored');
    expect(await viewed(page)).toEqual(['b', 'c']);
    await expect.poll(() => rerank(page), RESTART).toMatchObject({ ids: 'cbad', ranker: 'device' });
  });

  test('without consent nothing is stored, and no worker is started', async () => {
    const page = await openPage(context, '?consent=denied');
    expect(await view(page, 'c')).toBe('dropped');
    expect(await rerank(page)).toEqual({ ids: 'abcd', ranker: 'server', code: 'CONSENT_DENIED' });
    await page.reload();
    expect(page.workers()).toEqual([]);
    const kept = await page.evaluate(async () => ({
      databases: await indexedDB.databases(),
      local: localStorage.length,
      session: sessionStorage.length,
      caches: await caches.keys(),
      cookies: document.cookie,
    }));
    expect(kept).toEqual({ databases: [], local: 0, session: 0, caches: [], cookies: '' });
  });

  test('session consent keeps memory only, until it is granted', async () => {
    const page = await openPage(context, '?consent=session');
    expect(await view(page, 'c')).toBe('memory');
    expect((await rerank(page)).ids).toBe('cabd');
    expect(await page.evaluate(() => indexedDB.databases())).toEqual([]);
    await page.evaluate(() => window.recommender.setConsent('granted'));
    expect(await view(page, 'd')).toBe('stored');
    await page.goto(address());
    expect((await rerank(page)).ids).toBe('dcab');
  });

  test('withdrawn consent stops at once, and erasing leaves nothing in any tab', async () => {
    const [page, other] = [await openPage(context), await openPage(context)];
    await view(page, 'c');
    await page.evaluate(() => window.recommender.setConsent('denied'));
    expect(await view(page, 'd')).toBe('dropped');
    expect(await viewed(other)).toEqual(['c']);
    await page.evaluate(() => window.recommender.eraseData());
    await expect.poll(() => other.evaluate(() => window.reported)).toContain('changed erased');
    expect(await viewed(other)).toEqual([]);
    expect((await rerank(other)).ids).toBe('abcd');
    const status = await other.evaluate(() => window.recommender.status());
    expect(status.store).toEqual({ home: 'indexeddb', behaviourRows: 0, vectors: 0, slates: 0 });
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  test('close() stores what waits and stops the worker', async () => {
    const page = await openPage(context);
    const results = await page.evaluate(async () => {
      const tracked = window.recommender.track({ type: 'view', item: { id: 'a' } });
      await window.recommender.close();
      const late = await window.recommender.rerank([{ id: 'a' }]).catch((error: unknown) => String(error));
      return [await tracked, late];
    });
    expect(results).toEqual(['stored', expect.stringContaining('closed')]);
    await expect.poll(() => page.workers().length).toBe(0);
  });
});

test('a page in the back/forward cache holds no lock, and goes on when it is back', async () => {
  // Playwright switches this cache off by default, and loses sight of a page that comes out of it: the pages walk by themselves.
  const executablePath = findChromium();
  const profile = await mkdtemp(join(tmpdir(), 'shelfwise-shopper-'));
  const context = await chromium.launchPersistentContext(profile, {
    args: [...CHROMIUM_FLAGS],
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    ...(executablePath !== undefined && { executablePath }),
  });
  const observer = await openPage(context, '?consent=denied');
  await (await context.newPage()).goto(address().replace('page.html', 'page-walk.html'));
  await expect.poll(() => observer.evaluate(() => localStorage.getItem('walk')), RESTART).not.toBeNull();
  expect(JSON.parse((await observer.evaluate(() => localStorage.getItem('walk'))) ?? '')).toEqual({
    restored: true,
    reasons: null,
    productRole: 'writer',
    listRole: 'writer',
    reported: ['appended'],
    viewed: ['a', 'b', 'c'],
  });
  await context.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});
