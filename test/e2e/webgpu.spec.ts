import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import type { Recommender } from '../../src/index.ts';
import { launchShopper } from '../helpers/chromium.ts';
import type {} from './pages/webgpu.ts';

// WebGPU as shops get it, on SwiftShader: this shows what is computed and how often the GPU is called, not how fast.

declare global {
  var shelfwise: Recommender;
  var kernels: Record<string, number>; // in the demo's worker
}

const TOLERANCE = 1e-4; // What the issue grants between webgpu and reference, as a difference of values of magnitude about 1.
const MOST_DISPATCHES_PER_LAYER = 12;

const TITLES = [
  'White hanging heart t-light holder',
  'Mug',
  'Set of 3 cake tins pantry design, retro spot, with lids that close tightly and a handle on each of them',
  'Glass star frosted t-light holder',
  'Ångström’s 2nd-hand lamp (1970s)',
];

let context: BrowserContext;

test.beforeEach(async () => {
  context = await launchShopper();
});

test.afterEach(() => context.close());

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(new URL('webgpu.html', process.env['SHELFWISE_PAGES_URL']).href);
  await page.waitForFunction(() => 'webgpuPage' in window);
  return page;
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, at) => Math.abs(value - b[at]!)));
}

test('the encoder that ships agrees with reference, in at most 12 dispatches a layer and one readback', async () => {
  const page = await openPage();
  const webgpu = await page.evaluate((titles) => window.webgpuPage.encode('webgpu', titles), TITLES);
  const reference = await page.evaluate((titles) => window.webgpuPage.encode('reference', titles), TITLES);
  expect(largestDifference(webgpu.vectors, reference.vectors)).toBeLessThanOrEqual(TOLERANCE);

  const { verdict, blockingPipelines, counts } = await page.evaluate((titles) => window.webgpuPage.encodeGolden(titles), TITLES.slice(0, 2));
  expect(verdict).toEqual({ ok: true });
  const aroundLayers = 3; // word embeddings made wide and normalised; mean pooling
  expect(counts.dispatches).toBeGreaterThan(aroundLayers);
  expect(counts.dispatches).toBeLessThanOrEqual(MOST_DISPATCHES_PER_LAYER * webgpu.layers + aroundLayers);
  expect(counts.readbacks).toBe(1);
  expect(blockingPipelines).toBe(0);
});

test('both LSTMs and the head of the pack that ships agree with reference', async () => {
  const page = await openPage();
  const webgpu = await page.evaluate(() => window.webgpuPage.recommend('webgpu'));
  const reference = await page.evaluate(() => window.webgpuPage.recommend('reference'));
  expect(webgpu.results).toHaveLength(3);
  webgpu.results.forEach((values, at) => expect(largestDifference(values, reference.results[at]!)).toBeLessThanOrEqual(TOLERANCE));
  expect(webgpu.kernels.filter((label) => label.startsWith('lstm'))).toHaveLength(2);
});

test('pipelines compile in the background, and after warmUp() a list of another length compiles none', async () => {
  const page = await openPage();
  const { first, idle, long } = await page.evaluate(() => window.webgpuPage.warmUp());
  expect(first).toMatchObject({ pipelines: 2, blockingPipelines: 0 });
  expect(idle).toMatchObject({ pipelines: 2, blockingPipelines: 0, dispatches: 0 });
  expect(long).toMatchObject({ pipelines: 0, blockingPipelines: 0, dispatches: 2 });
});

test('GPU bytes do not grow over 10,000 requests and 200 encodes of varying size', async () => {
  test.setTimeout(900_000);
  const page = await openPage();
  const { warm, after, counts } = await page.evaluate(() => window.webgpuPage.soak({ requests: 10_000, encodes: 200 }));
  console.log(`GPU bytes after warm-up ${warm}, after 10,000 requests and 200 encodes ${after}; ${counts.buffers} buffers made meanwhile`);
  expect(counts.readbacks).toBe(10_200);
  expect(after).toBe(warm);
  expect(counts).toMatchObject({ buffers: 0, pipelines: 0, blockingPipelines: 0 });
});

for (const how of ['destroyed', 'disposed'] as const) {
  test(`runs fail, and a new device works, after the GPU device was ${how}`, async () => {
    const page = await openPage();
    expect(await page.evaluate((given) => window.webgpuPage.lose(given), how)).toEqual({
      under: 'DEVICE_FAILED',
      afterwards: 'DEVICE_FAILED',
      lost: how === 'disposed' ? 'never' : 'DEVICE_FAILED',
      isSame: true,
    });
  });
}

test('runs fail, and a new device works, after the GPU process was killed', async () => {
  const page = await openPage();
  const losing = page.evaluate(() => window.webgpuPage.lose('crashed'));
  await page.waitForFunction(() => window.webgpuPage.isRunning);
  await (await context.newCDPSession(page)).send('Browser.crashGpuProcess');
  expect(await losing).toEqual({ under: 'DEVICE_FAILED', afterwards: 'DEVICE_FAILED', lost: 'DEVICE_FAILED', isSame: true });
});

test('without an adapter there is no device, and there is one when it is back', async () => {
  const page = await openPage();
  expect(await page.evaluate(() => window.webgpuPage.loseAdapter())).toEqual({ gone: 'DEVICE_FAILED', back: 'none' });
});

test('float16 programs compute the same, and are refused where the adapter has none', async () => {
  const page = await openPage();
  const half = await page.evaluate(() => window.webgpuPage.runHalf('f16'));
  const single = await page.evaluate(() => window.webgpuPage.runHalf('f32'));
  expect([half.kernel, single.kernel]).toEqual(['wgsl-f16', 'wgsl-f32']);
  expect([half.half, single.half]).toEqual([1, 0]); // the int8 layer; head and LSTM stay float32, whose values golden vectors ask for
  expect(half.results).toEqual(single.results);
  const offered = await page.evaluate(async () => (await navigator.gpu.requestAdapter())!.features.has('shader-f16'));
  expect(await page.evaluate(() => window.webgpuPage.loadHalf())).toBe(offered ? 'none' : 'DEVICE_FAILED');
});

interface Shown {
  readonly devices: readonly string[];
  readonly kernels: Record<string, number>;
  readonly scores: Record<string, number | null>;
  readonly ids: readonly string[];
}

/** The slate of the demo shop for a shopper with some history, and the dispatches in its worker by kernel. */
async function showSlate(baseURL: string, device: 'webgpu' | 'reference'): Promise<Shown> {
  const page = await context.newPage();
  // The packs wait until the worker counts dispatches.
  let counting: Promise<unknown> | undefined;
  const hasWorker = page.waitForEvent('worker');
  await page.route('**/models/**/pack.json', async (route) => {
    counting ??= hasWorker.then((worker) => worker.evaluate(() => {
      globalThis.kernels = {};
      const { prototype } = GPUComputePassEncoder;
      const setPipeline = Object.getOwnPropertyDescriptor(prototype, 'setPipeline')!.value as GPUComputePassEncoder['setPipeline'];
      // One dispatch follows each.
      prototype.setPipeline = function (pipeline) {
        globalThis.kernels[pipeline.label] = (globalThis.kernels[pipeline.label] ?? 0) + 1;
        setPipeline.call(this, pipeline);
      };
    }));
    await counting;
    await route.continue();
  });
  await page.goto(`${baseURL}?device=${device}`);
  await page.waitForFunction(() => 'shelfwise' in globalThis);
  const response = await page.request.get('/api/candidates?slot=home&limit=24');
  const { candidates } = (await response.json()) as { candidates: { id: string; title: string }[] };
  const { devices, slate } = await page.evaluate(async ({ shelf, viewed }) => {
    const { shelfwise } = globalThis;
    await shelfwise.setConsent('session');
    // Ten days ago, so that the seconds between the devices' turns do not show in the features.
    for (const [at, item] of viewed.entries()) await shelfwise.track({ type: 'view', item, time: Date.now() - 864e6 + at * 1000 });
    let answer = await shelfwise.rerank(shelf, { deadlineMs: 110_000 });
    while (!answer.complete) answer = await shelfwise.rerank(shelf, { deadlineMs: 110_000 }); // until then some are ranked by the static tier
    const status = await shelfwise.status();
    return {
      devices: (['encode', 'sequence', 'score'] as const).map((workload) => status.devices[workload].device),
      slate: answer.items.map(({ item, score }) => ({ id: item.id, score })),
    };
  }, { shelf: candidates.slice(4), viewed: candidates.slice(0, 4) });
  const kernels = await (await hasWorker).evaluate(() => globalThis.kernels);
  await page.close();
  return { devices, kernels, ids: slate.map(({ id }) => id), scores: Object.fromEntries(slate.map(({ id, score }) => [id, score])) };
}

/** Of scores: vectors are rounded to int8 before they are used, and the last bit of a float decides which way. */
const ROUNDED = 2e-3;

test('encoder, both LSTMs and head all run on webgpu, and give the slate of reference', async ({ baseURL }) => {
  test.setTimeout(300_000);
  const webgpu = await showSlate(baseURL!, 'webgpu');
  expect(webgpu.devices).toEqual(['webgpu', 'webgpu', 'webgpu']);
  const dispatched = (...words: string[]): string[] => Object.keys(webgpu.kernels).filter((label) => words.every((word) => label.includes(word)));
  for (const part of ['attention', 'layer norm', 'mean pool', 'gelu']) expect(dispatched(part), `encoder: ${part}`).not.toEqual([]);
  expect(dispatched('lstm'), 'interest and demand').toHaveLength(2);
  expect(dispatched('relu'), 'head').not.toEqual([]);

  const reference = await showSlate(baseURL!, 'reference');
  expect(reference.devices).toEqual(['reference', 'reference', 'reference']);
  expect(reference.kernels).toEqual({});
  expect([...webgpu.ids].sort()).toEqual([...reference.ids].sort());
  webgpu.ids.forEach((id, place) => {
    expect(Math.abs(webgpu.scores[id]! - reference.scores[id]!), `score of ${id}`).toBeLessThan(ROUNDED);
    // The same order except among ties closer than that.
    expect(Math.abs(reference.scores[id]! - reference.scores[reference.ids[place]!]!), `place ${place}`).toBeLessThan(2 * ROUNDED);
  });
});
