import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { openTrainingKernels } from '../../src/compute/open-training-kernels.ts';
import { launchShopper } from '../helpers/chromium.ts';
import { STEP_LOSSES, trainSteps } from '../helpers/training-steps.ts';
import type {} from './pages/training.ts';

let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  context = await launchShopper();
  page = await context.newPage();
  await page.goto(new URL('training.html', process.env['SHELFWISE_PAGES_URL']).href);
  await page.waitForFunction(() => 'trainingPage' in window);
});

test.afterAll(() => context.close());

for (const loss of Object.keys(STEP_LOSSES) as (keyof typeof STEP_LOSSES)[]) {
  test(`the tab learns to the bit what two threads of Node learn: ${loss}`, async () => {
    expect(await page.evaluate(() => window.trainingPage.kernels)).toBe('wasm-simd-f32');
    const kernels = await openTrainingKernels({ maxBytes: 128 * 2 ** 20, threads: 2 });
    const inNode = trainSteps(kernels, STEP_LOSSES[loss]);
    await kernels.close();
    expect(await page.evaluate((name) => window.trainingPage.train(name), loss)).toEqual(inNode);
    expect(inNode.losses.at(-1)).not.toBe(inNode.losses[0]);
  });
}
