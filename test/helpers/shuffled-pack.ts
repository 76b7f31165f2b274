import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../src/lib/random.ts';
import { writeRecommender, type FloatTensors } from '../../src/learn/write-recommender.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { floatTensor } from '../../src/packs/pack-tensors.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import { NO_OPTIONAL_TABLES } from '../../src/rank/optional-tables.ts';
import { parseRecommenderPack } from '../../src/rank/recommender-pack.ts';
import type { SafeTensors } from '../../src/lib/safetensors.ts';

/** A valid copy of a recommender pack whose learnt weights are shuffled within each tensor: file name -> bytes. */
export async function shufflePack(folder: string, seed: number): Promise<Map<string, Uint8Array>> {
  const random = createRandom(seed);
  const shuffled = (tensors: SafeTensors): FloatTensors =>
    new Map(
      [...tensors.keys()]
        .filter((name) => !tensors.has(name.replace(/\.scale$/, '')) || !name.endsWith('.scale'))
        .map((name) => {
          const { shape } = tensors.get(name)!;
          return [name, { shape, values: random.shuffle(floatTensor(tensors, name, shape).slice()) }];
        }),
    );
  const pack = parseRecommenderPack(await loadPack(join(folder, 'pack.json'), readFileBytes));
  const copy = await mkdtemp(join(tmpdir(), 'shuffled-pack-'));
  try {
    const manifest = await writeRecommender(copy, pack.manifest, {
      itemIds: pack.itemIds,
      interest: pack.interest && shuffled(pack.interest),
      demand: pack.demand && shuffled(pack.demand),
      head: shuffled(pack.head),
      tables: { ...pack.tables, ...NO_OPTIONAL_TABLES },
    });
    const names = ['pack.json', ...manifest.files.map(({ name }) => name)];
    return new Map(await Promise.all(names.map(async (name): Promise<[string, Uint8Array]> => [name, await readFile(join(copy, name))])));
  } finally {
    await rm(copy, { recursive: true });
  }
}
