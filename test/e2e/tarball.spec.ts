import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import { expect, test } from '@playwright/test';
import type { Slate } from '../../src/index.ts';
import { launchShopper } from '../helpers/chromium.ts';

// What npm would publish, used as a shop without any build step uses it: plain files, a plain page, no bundler.

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
};

const PAGE = `<!doctype html>
<title>A plain shop</title>
<script type="module">
  import { createRecommender } from '/node_modules/shelfwise/dist/index.js';
  const recommender = createRecommender({
    pack: '/models/online-retail/pack.json',
    worker: '/node_modules/shelfwise/dist/shelfwise.worker.js',
    consent: 'session',
    fields: { id: 'sku', title: 'name' },
  });
  const ready = new Promise((resolve) => recommender.on('ready', resolve));
  window.rerankShelf = async (viewed, shelf) => {
    await ready;
    for (const item of viewed) await recommender.track({ type: 'view', item });
    const slate = await recommender.rerank(shelf, { deadlineMs: 60_000 });
    const { packs } = await recommender.status();
    return { ...slate, sameObjects: slate.items.every(({ item }) => shelf.includes(item)), packs: packs.map(({ kind }) => kind) };
  };
</script>`;

const VIEWED = [
  { sku: 'v1', name: 'Christmas Tree Star Decoration', price: 1.25 },
  { sku: 'v2', name: 'Wooden Christmas Tree Hanging Decoration', price: 0.85 },
];
/** In the server's order: what is like the viewed items stands last. */
const SHELF = [
  { sku: 7, name: 'Garden Spade', price: 4.95 },
  { sku: 8, name: 'Lunch Box Dolly Girl', price: 1.95 },
  { sku: 9, name: 'Leather Travel Wallet', price: 3.75 },
  { sku: 10, name: 'Red Retrospot Umbrella', price: 5.95 },
  { sku: 11, name: 'Hanging Christmas Tree Heart Decoration', price: 1.45 },
];

const CONSUMER = `
import { createRecommender, type Slate } from 'shelfwise';
import { startWorker } from 'shelfwise/worker';
const recommender = createRecommender({ pack: '/pack.json', worker: '/worker.js' });
export const slate: Promise<Slate<{ id: number }>> = recommender.rerank([{ id: 1 }], { limit: 1 });
export const start: (options?: object) => void = startWorker;
// @ts-expect-error the kinds of behaviour are typed
void recommender.track({ type: 'stare' });
`;

let folder = '';
let server: Server;
let address = '';

test.beforeAll(async () => {
  test.setTimeout(300_000); // npm pack builds the library
  folder = mkdtempSync(join(tmpdir(), 'shelfwise-tarball-'));
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8', shell: process.platform === 'win32' });
  execFileSync('tar', ['-xzf', packed.trim().split('\n').at(-1)!], { cwd: folder });
  mkdirSync(join(folder, 'node_modules'));
  renameSync(join(folder, 'package'), join(folder, 'node_modules/shelfwise'));
  writeFileSync(join(folder, 'index.html'), PAGE);
  server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://shop').pathname));
    try {
      const file = path === '/' ? '/index.html' : path;
      const body = readFileSync(file.startsWith('/models/') ? file.slice(1) : join(folder, file));
      response.setHeader('content-type', CONTENT_TYPES[extname(file)] ?? 'application/octet-stream').end(body);
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

test.afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the packed tarball in a plain page re-ranks a list', async () => {
  const context = await launchShopper();
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const failures: string[] = [];
    page.on('pageerror', (error) => failures.push(error.message));
    page.on('response', (response) => {
      if (!response.ok() && !response.url().endsWith('/favicon.ico')) failures.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(address);
    const slate = await page.evaluate<Slate<(typeof SHELF)[number]> & { sameObjects: boolean; packs: string[] }>(
      `rerankShelf(${JSON.stringify(VIEWED)}, ${JSON.stringify(SHELF)})`,
    );
    expect(failures).toEqual([]);
    expect(slate).toMatchObject({ ranker: 'device', complete: true, sameObjects: true });
    expect(slate.packs.sort()).toEqual(['encoder', 'recommender']);
    expect(slate.items.map(({ item }) => item.sku).sort((a, b) => a - b)).toEqual([7, 8, 9, 10, 11]);
    expect(slate.items[0]?.item.sku).toBe(11);
  } finally {
    await context.close();
  }
});

test('its types hold for a strict consumer, and its command line starts without any dependency', () => {
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const tsc = [resolve('node_modules/typescript/bin/tsc'), ...options, 'consumer.ts'];
  expect(spawnSync(process.execPath, tsc, { cwd: folder, encoding: 'utf8' }).stdout).toBe('');
  const cli = (...args: string[]): string =>
    execFileSync(process.execPath, [join(folder, 'node_modules/shelfwise/dist/cli.js'), ...args], { encoding: 'utf8' });
  expect(cli('--help')).toContain('shelfwise');
});
