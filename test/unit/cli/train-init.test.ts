import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInspect } from '../../../src/cli/inspect.ts';
import { runTrain, type TrainOptions } from '../../../src/cli/train.ts';
import { asFloats } from '../../../src/cli/train/stage-files.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { readFileBytes } from '../../../src/packs/read-file-bytes.ts';
import { parseRecommenderPack } from '../../../src/rank/recommender-pack.ts';
import { FIRST_VISIT, writeTinyShop } from '../../helpers/tiny-shop.ts';

const DAY = 86_400;
const quiet = (): void => undefined;
const dayAfter = (visit: number): string => new Date((FIRST_VISIT + visit * 14 * DAY + DAY) * 1_000).toISOString();

let folder: string;
let shop: Pick<TrainOptions, 'interactions' | 'items' | 'encoder'>;
let earlier: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-init-'));
  shop = await writeTinyShop(folder);
  earlier = join(folder, 'earlier');
  await runTrain({ ...shop, out: earlier, until: dayAfter(2), validationDays: 10, epochs: 2 }, quiet);
  // An item that the earlier pack has never seen.
  await appendFile(shop.items, 'red-lantern,A red lantern,9\n');
  await appendFile(shop.interactions, [3, 4, 5].map((visit) => `u0,red-lantern,${FIRST_VISIT + visit * 14 * DAY},purchase,1,9,late${visit}\n`).join(''));
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('shelfwise train --init', () => {
  test('goes on with the days since, by LoRA, and reports the losses of old and new days', async () => {
    const said: string[] = [];
    const next = { ...shop, init: earlier, adapter: 'lora:4', validationDays: 10, epochs: 4, learningRate: 0.02, warmUp: 0 };
    const report = await runTrain({ ...next, out: join(folder, 'one') }, (line) => said.push(line));
    const base = JSON.parse(await readFile(join(earlier, 'pack.json'), 'utf8')) as { revision: string; dims: { items: number } };
    const pack = JSON.parse(await readFile(join(folder, 'one', 'pack.json'), 'utf8')) as typeof base & { base: object };
    expect(pack.base).toEqual({ name: 'shop', revision: base.revision });
    expect(pack.dims.items).toBe(base.dims.items + 1);
    await runInspect({ pack: join(folder, 'one') });
    expect(report.continued).toMatchObject({ pack: base.revision, adapter: 'lora:4', trained: expect.any(Number) as number });
    const { old, recent } = report.continued!.loss;
    expect(recent.after).toBeLessThanOrEqual(recent.before); // four short epochs may not beat what came
    expect(old!.before).toBeGreaterThan(0);
    expect(said).toContainEqual(expect.stringMatching(/went on from shop .* loss on the validation days .* on days before the pack's end \d/));
  }, 240_000);

  test.each(['gru', 'transformer'] as const)('goes on from a pack of a %s with its own sizes, whatever is asked', async (model) => {
    const small = { embedding: 8, hidden: 12, lanes: 8, steps: 4, without: ['demand'], validationDays: 10 } as const;
    const [first, second] = [join(folder, model), join(folder, `${model}-later`)];
    await runTrain({ ...shop, ...small, model, layers: 1, out: first, until: dayAfter(2), epochs: 1 }, quiet);
    // Steps too small to see: what ships is what the pack to go on from had.
    await runTrain({ ...shop, without: ['demand'], validationDays: 10, init: first, out: second, epochs: 1, learningRate: 1e-9, warmUp: 0 }, quiet);
    const [before, after] = await Promise.all([first, second].map(async (path) => parseRecommenderPack(await loadPack(join(path, 'pack.json'), readFileBytes))));
    expect(after!.manifest).toMatchObject({ model, base: { revision: before!.manifest.revision }, dims: { embedding: 8, hidden: 12 } });
    const [old, kept] = [asFloats(before!.interest!), asFloats(after!.interest!)];
    const layers = [...old.keys()].filter((name) => name.startsWith(model));
    expect(layers.length).toBeGreaterThan(2);
    for (const name of layers) {
      const was = old.get(name)!.values;
      expect(kept.get(name)!.values.map((value, at) => Math.abs(value - was[at]!)).reduce((most, one) => Math.max(most, one)), name).toBeLessThan(1e-5);
    }
    await runInspect({ pack: second });
  }, 240_000);

  test('refuses what it cannot go on from, with advice', async () => {
    const next = { ...shop, out: join(folder, 'none'), epochs: 1 };
    await expect(runTrain({ ...next, adapter: 'lora:4' }, quiet)).rejects.toThrow('belongs to --init');
    for (const adapter of ['lora:0', 'adapter:4']) await expect(runTrain({ ...next, init: earlier, adapter }, quiet)).rejects.toThrow('there are full, head-only and lora:RANK');
    await expect(runTrain({ ...next, init: earlier, validationDays: 45 }, quiet)).rejects.toThrow('choose fewer --validation-days');
    await expect(runTrain({ ...next, init: shop.encoder! }, quiet)).rejects.toMatchObject({ code: 'PACK_INVALID' });
  }, 240_000);
});
