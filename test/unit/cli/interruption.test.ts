import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInspect } from '../../../src/cli/inspect.ts';
import type { TrainingReport } from '../../../src/cli/report/report-data.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { writeTinyShop } from '../../helpers/tiny-shop.ts';

const MAIN = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const EPOCHS = 6;

let folder: string;
let inputs: string[];
let whole: Map<string, string>;

/** Runs `shelfwise train`; `onLine` may kill it. */
async function train(out: string, more: readonly string[], onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'train', ...inputs, '--out', join(folder, out), '--validation-days', '20', '--epochs', String(EPOCHS), ...more], { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    onLine(line, (signal) => child.kill(signal));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines };
}

/** The pack's files; the report has seconds of its own. */
async function packOf(out: string): Promise<Map<string, string>> {
  const names = (await readdir(join(folder, out), { withFileTypes: true })).filter((entry) => entry.isFile() && !entry.name.startsWith('report.')).map(({ name }) => name);
  return new Map(await Promise.all(names.sort().map(async (name) => [name, (await readFile(join(folder, out, name))).toString('base64')] as const)));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-interruption-'));
  const { interactions, items, encoder } = await writeTinyShop(folder);
  inputs = ['--interactions', interactions, '--items', items, '--encoder', encoder];
  expect(await train('whole', [])).toMatchObject({ code: 0 });
  whole = await packOf('whole');
}, 600_000);
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('an interrupted shelfwise train', () => {
  test('killed at random moments and resumed, gives the same bytes', async () => {
    const random = createRandom(11);
    let kills = 0;
    for (let attempt = 0; attempt < 2; attempt++) {
      // After the first line come encoding, epochs with their checkpoints, the other models and the pack.
      const after = 1 + random.integer(4);
      const delayMs = random.integer(120);
      let heard = 0;
      const { code } = await train('killed', ['--resume'], (_, kill) => {
        if (++heard === after) void wait(delayMs).then(() => kill('SIGKILL'));
      });
      if (code === null) kills++;
    }
    expect(kills).toBeGreaterThan(0);
    expect(await train('killed', ['--resume'])).toMatchObject({ code: 0 });
    expect(await packOf('killed')).toEqual(whole);
  }, 600_000);

  test('by Ctrl-C packs the best epoch so far; resumed, gives the same bytes', async () => {
    const { code, lines } = await train('stopped', [], (line, kill) => {
      if (line.startsWith('interest LSTM: epoch 2')) kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(lines).toContainEqual(expect.stringContaining('interrupted; the pack is made of the best epoch so far'));
    await runInspect({ pack: join(folder, 'stopped') });
    const report = JSON.parse(await readFile(join(folder, 'stopped', 'report.json'), 'utf8')) as TrainingReport;
    expect(report.interrupted).toBe(true);
    expect(report.curves[0]!.epochs.length).toBeLessThan(EPOCHS);
    expect(await packOf('stopped')).not.toEqual(whole);
    expect(await train('stopped', ['--resume'])).toMatchObject({ code: 0 });
    expect(await packOf('stopped')).toEqual(whole);
  }, 600_000);
});
