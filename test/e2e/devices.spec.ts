import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { launchShopper } from '../helpers/chromium.ts';
import { SERVING_PROGRAMS } from '../helpers/device-programs.ts';
import type {} from './pages/devices.ts';

const TOLERANCE = 1e-4; // What the issue grants between devices, as a difference of values of magnitude about 1.

let context: BrowserContext;
let page: Page;

test.beforeAll(async () => {
  context = await launchShopper();
  page = await context.newPage();
  await page.goto(new URL('devices.html', process.env['SHELFWISE_PAGES_URL']).href);
  await page.waitForFunction(() => 'devicesPage' in window);
});

test.afterAll(() => context.close());

function largestDifference(a: readonly number[][], b: readonly number[][]): number {
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
  // Not Math.max(...): more values than fit on the stack. A NaN stays one, which no limit accepts.
  return a.flatMap((values, index) => values.map((value, at) => Math.abs(value - b[index]![at]!))).reduce((largest, difference) => (difference <= largest ? largest : difference), 0);
}

for (const program of Object.keys(SERVING_PROGRAMS)) {
  test(`webgpu, wasm and reference agree: ${program}`, async () => {
    const reference = await page.evaluate((name) => window.devicesPage.run('reference', name), program);
    const wasm = await page.evaluate((name) => window.devicesPage.run('wasm', name), program);
    const webgpu = await page.evaluate((name) => window.devicesPage.run('webgpu', name), program);
    expect(largestDifference(wasm.results, reference.results)).toBeLessThanOrEqual(TOLERANCE);
    expect(largestDifference(webgpu.results, reference.results)).toBeLessThanOrEqual(TOLERANCE);
    expect(webgpu.counts.readbacks).toBe(1);
    if (program.startsWith('lstm')) expect(webgpu.counts.dispatches).toBe(1);
  });
}

test('an LSTM on webgpu gives the same bits in one call and step by step', async () => {
  const { whole, stepped } = await page.evaluate(() => window.devicesPage.runInSteps());
  expect(stepped).toEqual(whole);
});

test('webgpu gives the same values in a worker', async () => {
  const program = 'head 500x24, 32 relu, 16 relu, 1';
  const { results } = await page.evaluate((name) => window.devicesPage.run('webgpu', name), program);
  expect(await page.evaluate((name) => window.devicesPage.runInWorker(name), program)).toEqual(results);
});

test('lists of every length reuse buffers and pipelines', async () => {
  const counts = await page.evaluate(() => window.devicesPage.runLengths(100));
  expect(counts).toMatchObject({ dispatches: 200, readbacks: 100, buffers: 0, pipelines: 0, blockingPipelines: 0 });
});

test('concurrent runs each get their own answer', async () => {
  expect(await page.evaluate(() => window.devicesPage.runConcurrently(20))).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test('webgpu refuses what it cannot do, and goes on', async () => {
  expect(await page.evaluate(() => window.devicesPage.refusals())).toEqual({
    lengths: 'DEVICE_FAILED',
    rows: 'DEVICE_FAILED',
    shape: 'DEVICE_FAILED',
    foreign: 'DEVICE_FAILED',
    thrown: 'DEVICE_FAILED',
    afterwards: 'none',
  });
});
