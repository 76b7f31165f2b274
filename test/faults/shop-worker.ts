import type { BrowserContext, Page, Worker } from '@playwright/test';
import type { Candidate, Recommender } from '../../src/index.ts';

declare global {
  var shelfwise: Recommender;
  var heard: string[]; // in the page: every `fallback`
  var gpu: WatchedGpu; // in the worker
}

/** What the worker's WebGPU did, and what it is told to do. */
interface WatchedGpu {
  readonly devices: GPUDevice[];
  /** Adapters asked for. */
  requests: number;
  readbacks: number;
  hasAdapter: boolean;
  /** Called at the next readback, which then waits until its device is lost: so a run is under way, however fast it is. */
  onReadback: (() => void) | undefined;
}

export interface Shop {
  readonly page: Page;
  readonly worker: Worker;
}

export interface Slate {
  readonly ranker: string;
  readonly complete: boolean;
  /** Of each item, by its id, in the new order. */
  readonly scores: readonly (readonly [id: string, score: number | null])[];
}

export interface OpenShopOptions {
  /** Default: none is forced. */
  readonly device?: 'webgpu';
  readonly history: readonly Candidate[];
  /** Runs in the worker before the packs arrive. */
  readonly prepare?: () => void;
}

const DEADLINE_MS = 240_000;

/** Opens a page of the demo shop that has no shelves of its own, so that no titles are encoded but those of the test, and watches its GPU. */
export async function openShop(context: BrowserContext, { device, history, prepare }: OpenShopOptions): Promise<Shop> {
  const page = await context.newPage();
  const starting = page.waitForEvent('worker');
  let prepared: Promise<void> | undefined;
  await page.route('**/models/**/pack.json', async (route) => {
    prepared ??= starting.then(async (worker) => {
      await worker.evaluate(slowClock);
      await worker.evaluate(watchGpu);
      if (prepare) await worker.evaluate(prepare);
    });
    await prepared;
    await route.continue();
  });
  await page.goto(`/no-such-page${device ? `?device=${device}` : ''}`);
  await page.waitForFunction(() => 'shelfwise' in globalThis);
  await page.evaluate(async (viewed) => {
    const { shelfwise } = globalThis;
    globalThis.heard = [];
    shelfwise.on('fallback', ({ code, message }) => globalThis.heard.push(`${code} ${message}`));
    await shelfwise.setConsent('session');
    // Ten days ago, so that the seconds between two requests do not show in the features.
    for (const [at, item] of viewed.entries()) await shelfwise.track({ type: 'view', item, time: Date.now() - 864e6 + at * 1000 });
  }, history);
  return { page, worker: await starting };
}

export function rerank(page: Page, shelf: readonly Candidate[]): Promise<Slate> {
  return page.evaluate(async ([candidates, deadlineMs]) => {
    const { ranker, complete, items } = await globalThis.shelfwise.rerank(candidates, { deadlineMs });
    return { ranker, complete, scores: items.map(({ item, score }) => [String(item.id), score] as const) };
  }, [shelf, DEADLINE_MS] as const);
}

/** Who encodes, runs sequences and scores, and why. */
export const statusLines = (page: Page): Promise<{ device: string; why: string }[]> =>
  page.evaluate(async () => {
    const { encode, sequence, score } = (await globalThis.shelfwise.status()).devices;
    return [encode, sequence, score];
  });

/** Every `fallback` so far. */
export const heard = (page: Page): Promise<string[]> => page.evaluate(() => globalThis.heard);

/** Resolves when the next run has its work on the GPU; its answer then waits until the GPU is lost. */
export const holdReadback = (worker: Worker): Promise<void> =>
  worker.evaluate(() => new Promise((resolve) => (globalThis.gpu.onReadback = resolve)));

/** What a device is waited for lasts ten times as long, so that no patience ends because this machine is busy; delays before a new try stay. */
function slowClock(): void {
  const slowness = 10;
  const leastPatienceMs = 4000;
  const { setTimeout: start } = globalThis;
  globalThis.setTimeout = ((work: () => void, milliseconds = 0) => start(work, milliseconds < leastPatienceMs ? milliseconds : slowness * milliseconds)) as typeof setTimeout;
  const now = performance.now.bind(performance);
  performance.now = () => now() / slowness;
}

function watchGpu(): void {
  const gpu: WatchedGpu = (globalThis.gpu = { devices: [], requests: 0, readbacks: 0, hasAdapter: true, onReadback: undefined });
  const { gpu: gpus } = navigator;
  const requestAdapter = gpus.requestAdapter.bind(gpus);
  gpus.requestAdapter = (options) => {
    gpu.requests++;
    return gpu.hasAdapter ? requestAdapter(options) : Promise.resolve(null);
  };
  const adapters = GPUAdapter.prototype;
  const requestDevice = Object.getOwnPropertyDescriptor(adapters, 'requestDevice')!.value as GPUAdapter['requestDevice'];
  adapters.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    gpu.devices.push(device);
    return device;
  };
  const buffers = GPUBuffer.prototype;
  const mapAsync = Object.getOwnPropertyDescriptor(buffers, 'mapAsync')!.value as GPUBuffer['mapAsync'];
  buffers.mapAsync = async function (...range) {
    gpu.readbacks++;
    const { onReadback } = gpu;
    if (onReadback) {
      gpu.onReadback = undefined;
      onReadback();
      await gpu.devices.at(-1)!.lost;
    }
    return mapAsync.apply(this, range);
  };
}
