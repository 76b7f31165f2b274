import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInspect } from '../../../src/cli/inspect.ts';
import { runTrain } from '../../../src/cli/train.ts';
import { FIRST_VISIT, writeTinyShop } from '../../helpers/tiny-shop.ts';

const DAY = 86_400;
const quiet = (): void => undefined;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-train-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('shelfwise train', () => {
  test('makes a pack that passes its own checks; the same seed gives the same bytes', async () => {
    const shop = await writeTinyShop(folder);
    const said: string[] = [];
    for (const out of ['one', 'two']) await runTrain({ ...shop, out: join(folder, out), validationDays: 20, epochs: 2 }, (line) => said.push(line));
    const read = async (out: string, file: string): Promise<Buffer> => readFile(join(folder, out, file));
    expect(await read('two', 'pack.json')).toEqual(await read('one', 'pack.json'));
    await runInspect({ pack: join(folder, 'one') });
    expect((await read('one', 'README.md')).toString()).toContain('purchases only');
    expect(said.some((line) => line.startsWith('demand LSTM (shipped)'))).toBe(true);
  }, 120_000);

  test('ships fitted tables and sessions where it is asked to, and the pack says so', async () => {
    const shop = await writeTinyShop(folder);
    const out = join(folder, 'tables');
    await runTrain({ ...shop, out, validationDays: 20, epochs: 1, fittedTables: true, shipSessions: 30 }, quiet);
    await runInspect({ pack: out });
    const { features, files } = JSON.parse((await readFile(join(out, 'pack.json'))).toString()) as { features: { names: string[] }; files: { name: string }[] };
    expect(features.names).toEqual(expect.arrayContaining(['ease', 'bilinear', 'sessions']));
    expect(files.map(({ name }) => name)).toContain('sessions.safetensors');
    const { features: plain, files: plainFiles } = JSON.parse((await readFile(join(folder, 'one', 'pack.json'))).toString()) as { features: { names: string[] }; files: { name: string }[] };
    for (const name of ['ease', 'bilinear', 'sessions']) expect(plain.names).not.toContain(name);
    expect(plainFiles.map(({ name }) => name)).not.toContain('sessions.safetensors');
  }, 120_000);

  test('a short log is trained on without demand; what is too little is refused with advice', async () => {
    const shop = await writeTinyShop(folder);
    const said: string[] = [];
    const until = new Date((FIRST_VISIT + 2 * 14 * DAY + DAY) * 1_000).toISOString();
    await runTrain({ ...shop, until, out: join(folder, 'short'), validationDays: 10, epochs: 1 }, (line) => said.push(line));
    expect(said).toContainEqual(expect.stringContaining('demand LSTM: left out'));
    await runInspect({ pack: join(folder, 'short') });
    await expect(runTrain({ ...shop, out: join(folder, 'none'), validationDays: 400 }, quiet)).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(runTrain({ ...shop, out: join(folder, 'none'), until: 'soon' }, quiet)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  }, 120_000);
});
