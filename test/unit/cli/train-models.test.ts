import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTrain } from '../../../src/cli/train.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { readFileBytes } from '../../../src/packs/read-file-bytes.ts';
import { createRanker, goldenCases, parseRecommenderPack } from '../../../src/rank/recommender-pack.ts';

const ITEMS = 12;
const SHOPPERS = 80;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(['gru', 'transformer'] as const)('a pack of a %s is trained, says so, and is served with its golden state', async (model) => {
  const files = { interactions: join(folder, 'log.csv'), items: join(folder, 'items.csv') };
  const lines = Array.from({ length: SHOPPERS * 8 }, (_, row) => `${Math.floor(row / 8)},i${(Math.floor(row / 8) * 5 + row) % ITEMS},${row % 8}`);
  await writeFile(files.interactions, `user,item,pos\n${lines.join('\n')}\n`);
  await writeFile(files.items, `item,title\n${Array.from({ length: ITEMS }, (_, item) => `i${item},`).join('\n')}\n`);
  const out = join(folder, model);
  await runTrain({ ...files, out, protocol: 'leave-one-out', model, epochs: 2, embedding: 8, hidden: 12, lanes: 8, steps: 4 }, () => undefined);
  const pack = parseRecommenderPack(await loadPack(join(out, 'pack.json'), readFileBytes));
  expect(pack.manifest.model).toBe(model);
  const device = createReferenceDevice();
  const golden = goldenCases(pack).find(({ workload }) => workload === 'sequence')!;
  expect(await golden.run(device)).toEqual(golden.expected);
  const ranker = createRanker(pack, { sequence: device, score: device });
  const state = await ranker.initialState();
  const { hidden, next } = await ranker.prepare({ events: [], state }, 0);
  expect(hidden).toEqual(state.subarray(0, 12));
  expect(state.length).toBe(model === 'gru' ? 12 : 12 + 1 + 2 * 2 * 4 * 12);
  expect(next!.catalogueScores).toHaveLength(ITEMS);
  device.dispose();
}, 120_000);
