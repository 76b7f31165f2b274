import { expect, test } from '@playwright/test';
import { launchShopper } from '../helpers/chromium.ts';
import type {} from './pages/vectors.ts';

const ITEMS = 5_000;

test('5,000 stored vectors open in one read after a reload, with the very bits that were served before', async () => {
  const context = await launchShopper();
  const page = await context.newPage();
  await page.goto(new URL('vectors.html', process.env['SHELFWISE_PAGES_URL']).href);
  const open = async (): ReturnType<typeof window.openVectors> => {
    await page.waitForFunction(() => 'openVectors' in window);
    return page.evaluate((count) => window.openVectors(count), ITEMS);
  };
  const first = await open();
  expect(first).toMatchObject({ encoded: ITEMS, known: ITEMS });
  await page.reload();
  const second = await open();
  expect(second).toEqual({ requests: { getAll: 1 }, transactions: 1, encoded: 0, known: ITEMS, checksum: first.checksum });
  await context.close();
});
