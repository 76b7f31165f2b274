import { RecommenderError } from '../errors.ts';
import { toShopperExport } from './shopper-export.ts';
import type { BehaviourRow, Checkpoint, NewBehaviourRow, ShopperStore, SlateRecord, VectorBlock } from './shopper-store.ts';
import { joinBlocks } from './vector-blocks.ts';

/** The twin of the IndexedDB store that forgets everything with the visit: consent `session`, or IndexedDB refused. */
export function createMemoryStore(): ShopperStore {
  const rows: BehaviourRow[] = [];
  const seqById = new Map<string, number>();
  const checkpoints = new Map<string, Checkpoint>();
  const slates = new Map<string, SlateRecord>();
  const settings = new Map<string, unknown>();
  let blocks: VectorBlock[] = [];
  // Not reset by erase(), as in IndexedDB: a seq never names two rows, so that no old checkpoint can match a new log.
  let lastSeq = 0;
  let closed = false;

  // Callers see a rejection, never a throw, and only copies: what they change later does not change the log.
  async function whileOpen<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (closed) throw new RecommenderError('STORAGE_FAILED', 'The memory store was closed.');
    return work();
  }

  function appendOne(row: NewBehaviourRow): number {
    const known = seqById.get(row.id);
    if (known !== undefined) return known;
    lastSeq += 1;
    rows.push(structuredClone({ ...row, seq: lastSeq }));
    seqById.set(row.id, lastSeq);
    return lastSeq;
  }

  return {
    home: 'memory',
    append: (added) => whileOpen(() => added.map(appendOne)),
    readBehaviour: (partition, { after = 0, last = Infinity } = {}) =>
      whileOpen(() => {
        const found = rows.filter((row) => row.partition === partition && row.seq > after);
        return structuredClone(found.slice(Math.max(0, found.length - last)));
      }),
    readCheckpoint: (partition) => whileOpen(() => structuredClone(checkpoints.get(partition))),
    writeCheckpoint: (checkpoint) => whileOpen(() => void checkpoints.set(checkpoint.partition, structuredClone(checkpoint))),
    readVectors: (encoderRevision) =>
      whileOpen(() => structuredClone(blocks.filter((block) => block.encoderRevision === encoderRevision))),
    writeVectors: (block) => whileOpen(() => void blocks.push(structuredClone(block))),
    joinVectors: (encoderRevision) =>
      whileOpen(() => {
        const [mine, others] = [true, false].map((is) => blocks.filter((block) => (block.encoderRevision === encoderRevision) === is));
        if (mine!.length > 1) blocks = [...others!, joinBlocks(mine!)];
      }),
    logSlate: (slate) => whileOpen(() => void slates.set(slate.id, slate)), // nobody else keeps a record that was just made
    readSlate: (id) => whileOpen(() => structuredClone(slates.get(id))),
    readSetting: (key) => whileOpen(() => structuredClone(settings.get(key))),
    writeSetting: (key, value) => whileOpen(() => void settings.set(key, structuredClone(value))),
    exportData: (partition) =>
      whileOpen(() =>
        structuredClone(
          toShopperExport(partition, {
            behaviour: rows.filter((row) => row.partition === partition),
            slates: [...slates.values()].filter((slate) => slate.partition === partition),
            checkpoint: checkpoints.get(partition),
          }),
        ),
      ),
    erase: () =>
      whileOpen(() => {
        rows.length = 0;
        seqById.clear();
        checkpoints.clear();
        slates.clear();
        settings.clear();
        blocks = [];
      }),
    sizes: () =>
      whileOpen(() => ({
        behaviourRows: rows.length,
        vectors: blocks.reduce((count, block) => count + block.keys.length, 0),
        slates: slates.size,
      })),
    // Memory belongs to one tab: there is no other that could change it.
    onChange: () => () => undefined,
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}
