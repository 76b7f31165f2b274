import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadEncoderPack } from '../../../src/cli/encoder.ts';
import { runInspect } from '../../../src/cli/inspect.ts';
import { runTuneEncoder, type TuneEncoderOptions } from '../../../src/cli/tune-encoder.ts';
import { readVisits } from '../../../src/cli/visits.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createDistilledEncoder } from '../../../src/encoder/distilled-encoder.ts';
import { createStaticTier } from '../../../src/encoder/encoder-files.ts';
import { parseSafetensors } from '../../../src/lib/safetensors.ts';
import { writePack } from '../../../src/packs/write-pack.ts';
import { createTinyEncoderPack, withGolden, withStaticTier } from '../../helpers/tiny-encoder-pack.ts';

const DAY = 86_400;
const START = 1_700_000_000;
const quiet = (): void => undefined;
/** Words of one row are bought together; no two titles of a row share one. */
const ROWS = [['white', 'a', 'b c'], ['mug', 'b', 'c a'], ['heart', 'c', 'a b']];
const TITLES = ROWS.flat();

let folder: string;
let shop: TuneEncoderOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-tune-'));
  const { manifest, files } = withStaticTier(await withGolden(createTinyEncoderPack()));
  await writePack(join(folder, 'base'), manifest, files);
  await writeFile(join(folder, 'base', 'NOTICE'), 'tiny\n');
  await writeFile(join(folder, 'items.csv'), `item,title\n${TITLES.map((title, item) => `i${item},${title}`).join('\n')}\nempty,\n`);
  const lines = Array.from({ length: 90 }, (_, visit) => ROWS[visit % 3]!.map((title) => `u${visit},i${TITLES.indexOf(title)},${START + visit * DAY},s${visit}`));
  await writeFile(join(folder, 'log.csv'), `user,item,timestamp,session\n${lines.flat().join('\n')}\n`);
  shop = { interactions: join(folder, 'log.csv'), items: join(folder, 'items.csv'), encoder: join(folder, 'base'), out: join(folder, 'out'), validationDays: 30, learningRate: 0.02 };
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('shelfwise tune-encoder', () => {
  test.each(['lora:2', 'last-layer'])('%s: a pack that passes its own checks and ranks better, the same bytes from the same seed', async (method) => {
    const [one, two] = ['one', 'two'].map((name) => join(folder, `${method.replace(':', '-')}-${name}`)) as [string, string];
    const report = await runTuneEncoder({ ...shop, method, out: one }, quiet);
    await runTuneEncoder({ ...shop, method, out: two }, quiet);
    expect(await readFile(join(two, 'pack.json'))).toEqual(await readFile(join(one, 'pack.json')));
    expect(report.gain.low).toBeGreaterThan(0);
    expect(report.after.value).toBeGreaterThan(0.8);
    const [base, tuned] = [await loadEncoderPack(shop.encoder), await loadEncoderPack(one)];
    expect(tuned.manifest).toMatchObject({ base: { name: 'tiny', revision: base.manifest.revision }, licence: 'Apache-2.0; tuned on the shop’s own data' });
    expect(tuned.manifest.trainingData.at(-1)).toMatchObject({ name: shop.interactions });
    expect(tuned.manifest.revision).not.toBe(base.manifest.revision);
    expect((await readFile(join(one, 'NOTICE'), 'utf8')).startsWith('tiny\n')).toBe(true);
    const inspected = await runInspect({ pack: one });
    expect(inspected.golden.every(({ ok }) => ok)).toBe(true);
  }, 60_000);

  test('only the last layer changes, and the static tier follows it', async () => {
    const out = join(folder, 'static');
    await runTuneEncoder({ ...shop, method: 'last-layer', out }, quiet);
    const [base, tuned] = [await loadEncoderPack(shop.encoder), await loadEncoderPack(out)];
    const [old, now] = [base, tuned].map(({ files }) => parseSafetensors(files.get('layers.safetensors')!));
    for (const [name, tensor] of old!) expect(now!.get(name)).toEqual(name.startsWith('layer.1.') ? expect.anything() : tensor);
    expect(now!.get('layer.1.attention.qkv.weight')).not.toEqual(old!.get('layer.1.attention.qkv.weight'));
    const device = createReferenceDevice();
    const vectors = await createDistilledEncoder(tuned, device).encode(TITLES);
    const cosineOf = async (pack: typeof base): Promise<number> => (await createStaticTier(pack, device).encode(TITLES)).reduce((sum, value, at) => sum + value * vectors[at]!, 0) / TITLES.length;
    expect(await cosineOf(tuned)).toBeGreaterThan((await cosineOf(base)) + 0.05);
  }, 60_000);

  test('a log with positions is tuned on, too: every tenth shopper validates', async () => {
    const lines = Array.from({ length: 60 }, (_, user) => ROWS[user % 3]!.map((title, pos) => `u${user},i${TITLES.indexOf(title)},${pos}`));
    const interactions = join(folder, 'positions.csv');
    await writeFile(interactions, `user,item,pos\n${lines.flat().join('\n')}\n`);
    const { training, validation } = await readVisits({ ...shop, interactions });
    expect([training.time.length, validation.time.length]).toEqual([54, 6]);
    expect((await runTuneEncoder({ ...shop, interactions, out: join(folder, 'positions') }, quiet)).gain.value).toBeGreaterThan(0);
    await expect(readVisits({ ...shop, interactions, until: '2024-01-01' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  }, 60_000);

  test('refuses what it cannot do, with advice', async () => {
    for (const method of ['lora:0', 'lora', 'adapter']) await expect(runTuneEncoder({ ...shop, method }, quiet)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(runTuneEncoder({ ...shop, layers: 3 }, quiet)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(runTuneEncoder({ ...shop, until: '2020-01-01' }, quiet)).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(runTuneEncoder({ ...shop, learningRate: 0, epochs: 1 }, quiet)).rejects.toThrow('No epoch ranks better');
  }, 60_000);
});
