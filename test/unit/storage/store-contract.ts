import { afterEach, describe, expect, it } from 'vitest';
import type { Checkpoint, NewBehaviourRow, ShopperStore, SlateRecord, VectorBlock } from '../../../src/storage/shopper-store.ts';

export function row(id: string, partition = 'anonymous', time = 1_000): NewBehaviourRow {
  return { id, partition, schemaVersion: 1, payload: { type: 'view', item: { id: `item-${id}`, title: 'Ring' }, time } };
}

function slate(id: string, partition = 'anonymous', time = 1): SlateRecord {
  return { id, partition, time, packRevision: 'p', seed: 1, shown: ['b', 'a'], serverPositions: [1, 0], propensities: [1, 1] };
}

const checkpoint: Checkpoint = {
  partition: 'anonymous',
  packRevision: 'pack',
  encoderRevision: 'encoder',
  kernel: 'simd-f32',
  lastSeq: 3,
  state: Float32Array.of(0.1, -2, 3),
};

const block: VectorBlock = { encoderRevision: 'e1', columns: 2, keys: ['k1', 'k2'], values: Int8Array.of(1, 2, 3, 4), scales: Float32Array.of(0.1, 0.2) };

/** What every home of a shopper's data promises; `open` gives a new, empty one. */
export function describeShopperStore(name: string, open: () => Promise<ShopperStore>): void {
  describe(name, () => {
    const opened: ShopperStore[] = [];
    const openStore = async (): Promise<ShopperStore> => {
      const store = await open();
      opened.push(store);
      return store;
    };

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    it('appends in order and counts from 1', async () => {
      const store = await openStore();
      expect(await store.append([row('a'), row('b')])).toEqual([1, 2]);
      expect(await store.append([row('c')])).toEqual([3]);
      expect(await store.readBehaviour('anonymous')).toEqual([
        { ...row('a'), seq: 1 },
        { ...row('b'), seq: 2 },
        { ...row('c'), seq: 3 },
      ]);
    });

    it('stores an id once, in one batch and over many', async () => {
      const store = await openStore();
      expect(await store.append([row('a'), row('a'), row('b')])).toEqual([1, 1, 2]);
      expect(await store.append([row('b'), row('c')])).toEqual([2, 3]);
      expect((await store.readBehaviour('anonymous')).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    });

    it('keeps the order of calls that do not wait for each other', async () => {
      const store = await openStore();
      const batches = Array.from({ length: 5 }, (_, batch) => Array.from({ length: 7 }, (_row, position) => row(`${batch}-${position}`)));
      await Promise.all(batches.map((batch) => store.append(batch)));
      expect((await store.readBehaviour('anonymous')).map(({ id }) => id)).toEqual(batches.flat().map(({ id }) => id));
    });

    it('takes more rows than fit in one transaction', async () => {
      const store = await openStore();
      const rows = Array.from({ length: 250 }, (_, position) => row(String(position)));
      expect(await store.append(rows)).toEqual(Array.from({ length: 250 }, (_, position) => position + 1));
      expect((await store.sizes()).behaviourRows).toBe(250);
    });

    it('reads rows after a seq and the newest of them, per partition', async () => {
      const store = await openStore();
      // Another shopper's 40 rows lie between this one's.
      const rows = Array.from({ length: 50 }, (_, position) => row(String(position), position % 5 === 0 ? 'mine' : 'theirs'));
      await store.append(rows);
      const seqs = async (options?: { after?: number; last?: number }): Promise<number[]> =>
        (await store.readBehaviour('mine', options)).map(({ seq }) => seq);
      expect(await seqs()).toEqual([1, 6, 11, 16, 21, 26, 31, 36, 41, 46]);
      expect(await seqs({ after: 30 })).toEqual([31, 36, 41, 46]);
      expect(await seqs({ last: 3 })).toEqual([36, 41, 46]);
      expect(await seqs({ after: 40, last: 3 })).toEqual([41, 46]);
      expect(await seqs({ last: 100 })).toHaveLength(10);
      expect(await seqs({ last: 0 })).toEqual([]);
      expect(await store.readBehaviour('nobody')).toEqual([]);
    });

    it('keeps what was appended, whatever the caller does to its objects', async () => {
      const store = await openStore();
      const tags = ['red'];
      await store.append([{ ...row('a'), payload: { type: 'view', item: { id: '__proto__', tags }, time: 5 } }]);
      tags.push('green');
      const [stored] = await store.readBehaviour('anonymous');
      expect(stored?.payload).toEqual({ type: 'view', item: { id: '__proto__', tags: ['red'] }, time: 5 });
    });

    it('keeps one checkpoint per partition, bit for bit', async () => {
      const store = await openStore();
      expect(await store.readCheckpoint('anonymous')).toBeUndefined();
      await store.writeCheckpoint(checkpoint);
      await store.writeCheckpoint({ ...checkpoint, lastSeq: 4 });
      expect(await store.readCheckpoint('anonymous')).toEqual({ ...checkpoint, lastSeq: 4 });
      expect(await store.readCheckpoint('another')).toBeUndefined();
    });

    it('keeps vector blocks apart by encoder revision', async () => {
      const store = await openStore();
      await store.writeVectors(block);
      await store.writeVectors({ ...block, encoderRevision: 'e2', keys: ['k3'], values: Int8Array.of(5, 6), scales: Float32Array.of(1) });
      expect(await store.readVectors('e1')).toEqual([block]);
      expect((await store.readVectors('e2')).map(({ keys }) => keys)).toEqual([['k3']]);
      expect(await store.readVectors('e')).toEqual([]);
      expect((await store.sizes()).vectors).toBe(3);
    });

    it('joins the blocks of one revision to one, where each text keeps the vector that counted', async () => {
      const store = await openStore();
      await store.joinVectors('e1');
      for (let n = 0; n < 20; n++) {
        await store.writeVectors({ ...block, keys: [`k${n}`, 'common'], values: Int8Array.of(n, 0, n, 1), scales: Float32Array.of(1, n) });
      }
      await store.writeVectors({ ...block, encoderRevision: 'e2' });
      const read = async (): Promise<Map<string, unknown>> =>
        new Map((await store.readVectors('e1')).flatMap(({ keys, values, scales }) => keys.map((key, row) => [key, [values[2 * row], values[2 * row + 1], scales[row]]])));
      const before = await read();
      await store.joinVectors('e1');
      expect(await read()).toEqual(before);
      expect(before.size).toBe(21);
      expect(await store.readVectors('e1')).toHaveLength(1);
      expect(await store.readVectors('e2')).toEqual([{ ...block, encoderRevision: 'e2' }]);
      expect((await store.sizes()).vectors).toBe(23);
    });

    it('keeps slates and settings', async () => {
      const store = await openStore();
      await store.logSlate(slate('s1'));
      await store.writeSetting('race', { encode: 'wasm' });
      expect(await store.readSlate('s1')).toEqual(slate('s1'));
      expect(await store.readSlate('s2')).toBeUndefined();
      expect(await store.readSetting('race')).toEqual({ encode: 'wasm' });
      expect(await store.readSetting('other')).toBeUndefined();
      await store.writeSetting('race', { encode: 'webgpu' });
      expect(await store.readSetting('race')).toEqual({ encode: 'webgpu' });
      expect(JSON.stringify(await store.exportData('anonymous'))).not.toContain('webgpu');
    });

    it('exports one partition as JSON values', async () => {
      const store = await openStore();
      await store.append([row('a'), row('b', 'another')]);
      await store.logSlate(slate('s2', 'anonymous', 2));
      await store.logSlate(slate('s1', 'anonymous', 1));
      await store.logSlate(slate('s3', 'another'));
      await store.writeCheckpoint({ ...checkpoint, state: Float32Array.of(0.5, 1) });
      const exported = await store.exportData('anonymous');
      expect(exported.behaviour.map(({ id }) => id)).toEqual(['a']);
      expect(exported.slates.map(({ id }) => id)).toEqual(['s1', 's2']);
      expect(exported.checkpoints[0]?.state).toEqual([0.5, 1]);
      expect(JSON.parse(JSON.stringify(exported))).toEqual(exported);
    });

    it('erases everything of everybody, and never gives a seq twice', async () => {
      const store = await openStore();
      await store.append([row('a'), row('b', 'another')]);
      await store.writeCheckpoint(checkpoint);
      await store.writeVectors(block);
      await store.logSlate(slate('s'));
      await store.writeSetting('race', 1);
      await store.erase();
      expect(await store.sizes()).toEqual({ behaviourRows: 0, vectors: 0, slates: 0 });
      expect(await store.readBehaviour('another')).toEqual([]);
      expect(await store.readCheckpoint('anonymous')).toBeUndefined();
      expect(await store.readSetting('race')).toBeUndefined();
      expect(await store.append([row('a')])).toEqual([3]);
    });

    it('refuses to work once it is closed', async () => {
      const store = await openStore();
      await store.close();
      await expect(store.append([row('a')])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(store.readBehaviour('anonymous')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    });
  });
}
