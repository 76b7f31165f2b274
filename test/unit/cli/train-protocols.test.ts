import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TrainingReport } from '../../../src/cli/report/report-data.ts';
import { runTrain, type TrainOptions } from '../../../src/cli/train.ts';
import { readShop } from '../../../src/cli/train/read-shop.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { readFileBytes } from '../../../src/packs/read-file-bytes.ts';
import { parseRecommenderPack } from '../../../src/rank/recommender-pack.ts';

const ITEMS = 30;
const SHOPPERS = 120;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-protocols-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Shoppers who go round the items: after i comes i + 1. */
async function writeRing(name: string, { columns, row }: { columns: string; row: (user: number, pos: number) => string }): Promise<Pick<TrainOptions, 'interactions' | 'items'>> {
  const random = createRandom(3);
  const lines = Array.from({ length: SHOPPERS }, (_, user) => {
    const start = random.integer(ITEMS);
    return Array.from({ length: 6 + random.integer(6) }, (__, pos) => `${user},i${(start + pos) % ITEMS},${row(user, pos)}`);
  });
  const files = { interactions: join(folder, `${name}.csv`), items: join(folder, `${name}-items.csv`) };
  await writeFile(files.interactions, `user,item,${columns}\n${lines.flat().join('\n')}\n`);
  await writeFile(files.items, `item,title\n${Array.from({ length: ITEMS }, (_, item) => `i${item},`).join('\n')}\n`);
  return files;
}

const train = (options: Omit<TrainOptions, 'out'>, out: string) => runTrain({ epochs: 2, ...options, out: join(folder, out) }, () => undefined);

/** Runs the command with --resume, and kills it some time after it said something. */
async function runUntil(ring: Pick<TrainOptions, 'interactions' | 'items'>, moment: string | null, milliseconds: number, more: readonly string[]): Promise<void> {
  const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'train', '--interactions', ring.interactions, '--items', ring.items, '--protocol', 'leave-one-out', '--epochs', '2', '--out', join(folder, 'killed'), '--resume', ...more], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let isDue = false;
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (isDue || moment === null || !said.includes(moment)) return;
    isDue = true;
    setTimeout(() => child.kill('SIGKILL'), milliseconds);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (moment === null) expect(code, said).toBe(0);
}

describe('shelfwise train by protocol', () => {
  test('leave-one-out: positions alone, no titles and no encoder; what is for the test is not learnt', async () => {
    const ring = await writeRing('loo', { columns: 'pos', row: (_, pos) => String(pos) });
    const report = await train({ ...ring, protocol: 'leave-one-out' }, 'loo');
    const total = (await readFile(ring.interactions, 'utf8')).trim().split('\n').length - 1;
    expect(report.data).toMatchObject({ protocol: 'leave-one-out', interactions: total - SHOPPERS, heldBack: SHOPPERS, shoppers: SHOPPERS, items: ITEMS, validationFrom: null, until: null });
    expect(report.evaluation!.queries).toBeGreaterThan(10);
    expect(report.evaluation!.rankers.map(({ name }) => name)).not.toContain('text alone');
    const { manifest, tables } = parseRecommenderPack(await loadPack(join(folder, 'loo', 'pack.json'), readFileBytes));
    expect(manifest.encoder).toBeUndefined();
    expect(manifest.dims.text).toBe(0);
    // The log goes round, so that the chain alone knows what comes next.
    expect(report.evaluation!.rankers.find(({ name }) => name === 'Markov')!.metrics['ndcg@10']!.value).toBe(1);
    expect(tables.popularity.reduce((sum, count) => sum + count, 0)).toBe(total - SHOPPERS);
  }, 120_000);

  test('session: the log’s split is obeyed, sessions may repeat items, and the same seed gives the same bytes', async () => {
    const ring = await writeRing('session', { columns: 'timestamp,split', row: (user, pos) => `${1_600_000_000 + user * 1_000 + Math.floor(pos / 2)},${user < 100 ? 'train' : 'test'}` });
    const reports = [await train({ ...ring, protocol: 'session' }, 'session'), await train({ ...ring, protocol: 'session' }, 'again')];
    expect(reports[0]!.data).toMatchObject({ protocol: 'session', shoppers: 100 });
    expect(Date.parse(reports[0]!.data.until!) / 1_000).toBeLessThan(1_600_000_000 + 100 * 1_000); // the test comes later
    expect(reports[0]!.evaluation!.queries).toBeGreaterThan(0);
    expect(reports[1]!.pack.revision).toBe(reports[0]!.pack.revision);
  }, 120_000);

  test('session: what a shopper did in earlier sessions is not read, as in the evaluation', async () => {
    const visits = { columns: 'timestamp,session', row: (user: number, pos: number) => `${1_600_000_000 + user * 1_000 + pos},${user}-${Math.floor(pos / 3)}` };
    const ring = await writeRing('visits', visits);
    const { shop } = await readShop({ ...ring, protocol: 'session' }, () => undefined);
    expect([...shop.log.user]).toEqual([...shop.log.session]);
    expect(new Set(shop.log.user).size).toBeGreaterThan(SHOPPERS);
    expect(shop.log.users).toBeGreaterThan(Math.max(...shop.log.user));
    const known = await readShop({ ...ring, protocol: 'temporal', validationDays: 1 }, () => undefined);
    expect(new Set(known.shop.log.user).size).toBe(SHOPPERS);
  });

  test('a head that was trained is taken over by --resume', async () => {
    const ring = await writeRing('resumed', { columns: 'pos', row: (_, pos) => String(pos) });
    const whole = await train({ ...ring, protocol: 'leave-one-out' }, 'resumed');
    const said: string[] = [];
    const again = await runTrain({ ...ring, epochs: 2, protocol: 'leave-one-out', resume: true, out: join(folder, 'resumed') }, (line) => said.push(line));
    expect(said.filter((line) => line.includes('taken from an earlier training')).map((line) => line.split(':')[0])).toEqual(['interest LSTM', 'head']);
    expect(again).toEqual(whole);
  }, 120_000);

  test('killed at any moment and resumed, it writes the bytes that it would have written', async () => {
    const ring = await writeRing('killed', { columns: 'pos', row: (_, pos) => String(pos) });
    const whole = await train({ ...ring, protocol: 'leave-one-out', pretrain: 'masked-items', pretrainEpochs: 2 }, 'whole');
    const more = ['--pretrain', 'masked-items', '--pretrain-epochs', '2'];
    const random = createRandom(Date.now() % 1_000);
    for (const moment of ['lines are learnt', 'pretraining by masked items: epoch 1', 'NDCG@10', '(refit)', 'demand LSTM']) await runUntil(ring, moment, 300 * random.next(), more);
    await runUntil(ring, null, 0, more);
    const { curves } = JSON.parse(await readFile(join(folder, 'killed', 'report.json'), 'utf8')) as TrainingReport;
    expect(curves[0]).toEqual(whole.curves[0]);
    const { revision } = JSON.parse(await readFile(join(folder, 'killed', 'pack.json'), 'utf8')) as { revision: string };
    expect(revision).toBe(whole.pack.revision);
  }, 300_000);

  test('--pretrain is what the training starts from; the report draws it and the card names it', async () => {
    const ring = await writeRing('pretrained', { columns: 'pos', row: (_, pos) => String(pos) });
    const options = { ...ring, protocol: 'leave-one-out', epochs: 1 } as const;
    const plain = await train(options, 'plain');
    expect(plain.curves[0]!.model).toBe('interest LSTM');
    for (const [pretrain, name] of [['masked-items', 'masked items'], ['autoencoder', 'autoencoder']] as const) {
      const { pack, curves } = await train({ ...options, pretrain, pretrainEpochs: 3 }, pretrain);
      expect(pack.revision).not.toBe(plain.pack.revision);
      expect(curves[0]).toMatchObject({ model: `interest LSTM, pretraining by ${name}`, epochs: [{ epoch: 1, metric: null }, { epoch: 2 }, { epoch: 3 }] });
      expect(await readFile(join(folder, pretrain, 'report.html'), 'utf8')).toContain(`pretraining by ${name}`);
      expect(await readFile(join(folder, pretrain, 'README.md'), 'utf8')).toContain(`Pretraining by ${name}, 3 epochs`);
    }
  }, 120_000);

  test('--search tries settings, keeps a line of each, goes on where it was, and trains the best', async () => {
    const ring = await writeRing('search', { columns: 'pos', row: (_, pos) => String(pos) });
    const options = { ...ring, protocol: 'leave-one-out', search: 2, epochs: 1 } as const;
    const path = join(folder, 'search', 'training', 'search.jsonl');
    await train(options, 'search');
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    const trials = lines.map((line) => JSON.parse(line) as { trial: number; ndcg: number; settings: { hidden?: number } });
    expect(trials.map(({ trial }) => trial)).toEqual([0, 1, 2]);
    expect(trials[0]!.settings).toEqual({});
    const { manifest } = parseRecommenderPack(await loadPack(join(folder, 'search', 'pack.json'), readFileBytes));
    const best = trials.toSorted((a, b) => b.ndcg - a.ndcg)[0]!;
    expect(manifest.dims.hidden).toBe(best.settings.hidden ?? 96);
    await writeFile(path, `${lines[0]!}\n${lines[1]!}\n${lines[2]!.slice(0, 30)}`); // killed while it wrote
    await train({ ...options, resume: true }, 'search');
    const again = (await readFile(path, 'utf8')).trim().split('\n');
    expect(again.at(-1)!.endsWith(lines[2]!)).toBe(true);
  }, 120_000);

  test('--windows compares short trainings on the last days, and needs days', async () => {
    const day = 86_400;
    const timed = await writeRing('windows', { columns: 'timestamp', row: (user, pos) => String(1_600_000_000 + (user % 60) * 2 * day + pos) });
    const { windows } = await train({ ...timed, protocol: 'session', windows: true, epochs: 1 }, 'windows');
    expect(windows.map(({ days }) => days)).toEqual([7, 30, 90, null]);
    const lines = windows.map((window) => window.lines);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    expect(lines[0]).toBeLessThan(lines[3]!);
    const ring = await writeRing('undated', { columns: 'pos', row: (_, pos) => String(pos) });
    await expect(train({ ...ring, protocol: 'leave-one-out', windows: true }, 'none')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  }, 120_000);

  test('what contradicts is refused', async () => {
    const ring = await writeRing('refused', { columns: 'pos,split', row: (_, pos) => `${pos},${pos === 1 ? 'validation' : 'train'}` });
    await expect(train({ ...ring, protocol: 'session' }, 'none')).rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining('must be the end of a history') as string });
    await expect(train({ ...ring, protocol: 'session', until: '2020-01-01' }, 'none')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(train({ ...ring, protocol: 'session', pretrain: 'autoencoder', init: 'any' }, 'none')).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining('leave one of them out') as string });
    await writeFile(ring.items, 'item,title\ni1,Red mug\n');
    await expect(train({ ...ring, protocol: 'leave-one-out' }, 'none')).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});
