import type { ItemEncoder } from '../../src/encoder/item-encoder.ts';
import { VectorCache } from '../../src/encoder/vector-cache.ts';
import { createRandom } from '../../src/lib/random.ts';
import { openShopperStore } from '../../src/storage/indexeddb-store.ts';
import type { NewBehaviourRow } from '../../src/storage/shopper-store.ts';
import { timeRounds, type Times } from './rounds.ts';

const APPENDED = 100;
const READ = 5_000;
const VECTORS = 5_000;
const DIMENSIONS = 384;

/** What the shopper's database takes: events in, history out, the cached vectors of a catalogue opened. */
export async function storeTimes(rounds: number): Promise<Times<'append' | 'read' | 'open'>> {
  const options = { rounds, tolerance: 0 };
  const log = await openShopperStore('bench-append');
  const { append } = await timeRounds({ append: async () => Float32Array.of((await log.append(createRows(APPENDED))).length) }, options);
  await log.close();

  const history = await openShopperStore('bench-read');
  await history.append(createRows(READ));
  const { read } = await timeRounds({ read: async () => Float32Array.of((await history.readBehaviour('anonymous')).length) }, options);
  await history.close();

  await writeVectors();
  const { open } = await timeRounds({ open: async () => Float32Array.of(await openVectors()) }, options);
  return { append, read, open };
}

let rows = 0;

function createRows(count: number): NewBehaviourRow[] {
  return Array.from({ length: count }, () => {
    const item = { id: String(rows % 997), title: `White hanging heart t-light holder ${rows % 997}`, price: 2.55, category: 'Candles' };
    return { id: `row-${rows++}`, partition: 'anonymous', schemaVersion: 1, payload: { type: 'view', item, time: 1_700_000_000_000 + rows } };
  });
}

const textOf = (item: number): string => `item number ${item}`;

/** Fills the database as a visit does: through the cache that encodes and stores. */
async function writeVectors(): Promise<void> {
  const store = await openShopperStore('bench-vectors');
  const cache = new VectorCache(createEncoder());
  await cache.attach(store);
  await cache.enqueue(Array.from({ length: VECTORS }, (_, item) => textOf(item)));
  await cache.close();
  await store.close();
}

/** From the closed database to vectors in memory -> how many are known of them all. */
async function openVectors(): Promise<number> {
  const store = await openShopperStore('bench-vectors');
  const cache = new VectorCache(createEncoder());
  await cache.attach(store);
  const ends = [0, VECTORS - 1].filter((item) => cache.get(textOf(item)) !== undefined).length;
  if (ends < 2) throw new Error('Stored vectors are missing.');
  await store.close();
  return ends;
}

/** Random unit vectors: what is measured is where they are kept. */
function createEncoder(): ItemEncoder {
  const random = createRandom(1);
  return {
    revision: 'bench',
    dimensions: DIMENSIONS,
    encode(texts) {
      const vectors = Float32Array.from({ length: texts.length * DIMENSIONS }, () => random.normal() / Math.sqrt(DIMENSIONS));
      return Promise.resolve(vectors);
    },
  };
}
