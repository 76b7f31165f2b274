import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import type { Candidate } from '../../src/index.ts';
import { launchShopper } from '../helpers/chromium.ts';
import { heard, holdReadback, openShop, rerank, statusLines, type Shop, type Slate } from './shop-worker.ts';

// The demo shop as it is built, on the WebGPU that SwiftShader imitates: who answers when the GPU fails, not how fast.

const HANG_MS = 600_000;
const PATIENT = { timeout: 240_000 }; // SwiftShader compiles our shaders for many seconds, and for longer while other tests run
const ON_WEBGPU = ['webgpu', 'webgpu', 'webgpu'];
const ON_WASM = ['wasm', 'wasm', 'wasm'];
/** Of scores in float32 from the same vectors. */
const TOLERANCE = 2e-3;

let context: BrowserContext;
let history: Candidate[];
let shelf: Candidate[];
let nextShelf: Candidate[];

test.beforeEach(async ({ request }) => {
  test.setTimeout(HANG_MS);
  context = await launchShopper();
  const { candidates } = (await (await request.get('/api/candidates?slot=home&limit=10')).json()) as { candidates: Candidate[] };
  [history, shelf, nextShelf] = [candidates.slice(0, 2), candidates.slice(2, 6), candidates.slice(6, 10)];
});

test.afterEach(() => context.close());

/** Who encodes, runs sequences and scores. */
const serving = async (page: Page): Promise<string[]> => (await statusLines(page)).map(({ device }) => device);

const reasons = async (page: Page): Promise<string[]> => (await statusLines(page)).map(({ why }) => why);

/** Ranked on the device: every candidate once, with a score. */
function expectRanked({ ranker, complete, scores }: Slate, candidates: readonly Candidate[]): void {
  expect([ranker, complete]).toEqual(['device', true]);
  expect(scores.map(([id]) => id).sort()).toEqual(candidates.map(({ id }) => String(id)).sort());
  for (const [id, score] of scores) expect(score, `score of ${id}`).toEqual(expect.any(Number));
}

function expectAlike(a: Slate, b: Slate): void {
  const others = new Map(b.scores);
  for (const [id, score] of a.scores) expect(Math.abs(score! - others.get(id)!), `score of ${id}`).toBeLessThan(TOLERANCE);
}

test('a GPU that is only imitated is not taken unasked, and status says why', async () => {
  const { page, worker } = await openShop(context, { history });
  expectRanked(await rerank(page, shelf), shelf);
  const line = { device: 'wasm', why: 'wasm: webgpu did not start: This browser has only a software GPU' };
  await expect.poll(() => statusLines(page), PATIENT).toEqual([line, line, line]);
  expect(await worker.evaluate(() => globalThis.gpu.devices.length)).toBe(0);
  expect(await heard(page)).toEqual([]);
});

test('a wrong kernel is dropped at the start for what it would serve, and nothing else', async () => {
  const { page } = await openShop(context, {
    device: 'webgpu',
    history,
    prepare: () => {
      const { prototype } = GPUDevice;
      const createShaderModule = Object.getOwnPropertyDescriptor(prototype, 'createShaderModule')!.value as GPUDevice['createShaderModule'];
      prototype.createShaderModule = function ({ code, ...rest }) {
        // The tanh of the LSTMs, with its sign turned.
        const wrong = code.replace('fn hyperbolicTangent(x : f32) -> f32 { return 1.0 - 2.0', 'fn hyperbolicTangent(x : f32) -> f32 { return -1.0 + 2.0');
        return createShaderModule.call(this, { ...rest, code: wrong });
      };
    },
  });
  await expect.poll(() => serving(page), PATIENT).toEqual(['webgpu', 'wasm', 'webgpu']);
  expect((await reasons(page))[1]).toMatch(/^wasm: webgpu gave -?[\d.]+ instead of -?[\d.]+ on golden vector 1$/);
  expect(await heard(page)).toEqual([expect.stringMatching(/^DEVICE_FAILED .* webgpu \(sequence\) gave -?[\d.]+ instead of -?[\d.]+ on golden vector 1\.$/)]);
  expectRanked(await rerank(page, shelf), shelf);
});

/** Opens the shop on WebGPU, and loses it while a request waits for its answer. */
async function loseGpu(lose: (shop: Shop) => Promise<unknown>): Promise<Shop & { before: Slate }> {
  const shop = await openShop(context, { device: 'webgpu', history });
  const { page, worker } = shop;
  await expect.poll(() => serving(page), PATIENT).toEqual(ON_WEBGPU);
  const before = await rerank(page, shelf);
  expectRanked(before, shelf);
  expect(await heard(page)).toEqual([]);

  const held = holdReadback(worker);
  const answer = rerank(page, nextShelf);
  await held;
  await lose(shop);
  expectRanked(await answer, nextShelf);
  expect(await heard(page)).toEqual([expect.stringMatching(/^DEVICE_FAILED .* webgpu was lost: The GPU was lost/)]);
  return { ...shop, before };
}

const losses: Record<string, (shop: Shop) => Promise<unknown>> = {
  'the GPU device was destroyed': ({ worker }) => worker.evaluate(() => globalThis.gpu.devices.at(-1)!.destroy()),
  'the GPU process was killed': async ({ page }) => (await context.newCDPSession(page)).send('Browser.crashGpuProcess'),
};

for (const [how, lose] of Object.entries(losses)) {
  test(`${how}: the same request is answered by wasm, and WebGPU comes back`, async () => {
    const { page, worker, before } = await loseGpu(lose);
    await expect.poll(() => serving(page), PATIENT).toEqual(ON_WEBGPU);
    for (const why of await reasons(page)) expect(why).toMatch(/^webgpu: back after it was lost: The GPU was lost/);
    const readbacks = await worker.evaluate(() => globalThis.gpu.readbacks);
    const after = await rerank(page, shelf);
    expectRanked(after, shelf);
    expectAlike(after, before);
    expect(await worker.evaluate(() => globalThis.gpu.readbacks)).toBeGreaterThan(readbacks);
    expect(await heard(page)).toHaveLength(1);
  });
}

test('the adapter is gone: the same request is answered by wasm, which stays', async () => {
  const { page, worker, before } = await loseGpu(({ worker: losing }) =>
    losing.evaluate(() => {
      globalThis.gpu.hasAdapter = false;
      globalThis.gpu.devices.at(-1)!.destroy();
    }),
  );
  const requests = await worker.evaluate(() => globalThis.gpu.requests);
  await expect.poll(() => worker.evaluate(() => globalThis.gpu.requests), PATIENT).toBeGreaterThan(requests + 1); // it is tried again
  expect(await serving(page)).toEqual(ON_WASM);
  for (const why of await reasons(page)) expect(why).toMatch(/^wasm: webgpu was lost: The GPU was lost/);
  const after = await rerank(page, shelf);
  expectRanked(after, shelf);
  expectAlike(after, before);
  expect(await worker.evaluate(() => globalThis.gpu.devices.length)).toBe(1);
  expect(await heard(page)).toHaveLength(1);
});
