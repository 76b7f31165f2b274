import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/lib/random.ts';
import { augmentPurchases, DEFAULT_AUGMENTATION, plainStream } from '../../../src/learn/augmentation.ts';
import { CART, groupByUser, logBefore, PURCHASE, VIEW, type LogColumns } from '../../../src/learn/histories.ts';
import { cutIntoChunks } from '../../../src/learn/lanes.ts';

/** Two shoppers; the first has two invoices, the second of which repeats a product. */
const LOG: LogColumns = {
  users: 2,
  items: 4,
  user: Int32Array.of(0, 0, 1, 0, 0, 0),
  item: Int32Array.of(0, 1, 2, 3, 0, 3),
  kind: new Uint8Array(6).fill(PURCHASE),
  time: Float64Array.of(100, 100, 200, 90_000, 90_000, 90_000),
  price: Float32Array.of(1, 2, 3, 4, 1, 4),
  session: Int32Array.of(0, 0, 1, 2, 2, 2),
};

describe('histories', () => {
  test('are grouped by shopper in time order; a product counts once a session', () => {
    const histories = groupByUser(LOG);
    expect([...histories.offsets]).toEqual([0, 4, 5]);
    expect([...histories.item]).toEqual([0, 1, 3, 0, 2]);
  });

  test('a log before a moment has nothing at or after it', () => {
    expect([...logBefore(LOG, 200).item]).toEqual([0, 1]);
    expect([...logBefore(LOG, 90_000).item]).toEqual([0, 1, 2]);
  });
});

describe('augmentation', () => {
  const histories = groupByUser({ ...LOG, user: new Int32Array(4_000), item: Int32Array.from({ length: 4_000 }, (_, at) => at % 4), kind: new Uint8Array(4_000).fill(PURCHASE), time: Float64Array.from({ length: 4_000 }, (_, at) => at * 86_400), price: new Float32Array(4_000), session: Int32Array.from({ length: 4_000 }, (_, at) => at) });
  const draw = () => ({ item: 3, price: 9 });

  test('keeps every purchase in order, and noise is never to be predicted', () => {
    const stream = augmentPurchases(histories, 0, 4_000, createRandom(1), draw);
    const real = [...stream.item.keys()].filter((at) => stream.weight[at] === 1);
    expect(real.map((at) => stream.item[at])).toEqual([...histories.item]);
    expect(stream.item.length).toBeGreaterThan(4_000);
  });

  test('a view is right about half the time, a cart nine times of ten, a purchase always', () => {
    const stream = augmentPurchases(histories, 0, 4_000, createRandom(2), draw);
    const right = (kind: number): number => {
      const rows = [...stream.kind.keys()].filter((at) => stream.kind[at] === kind);
      return rows.filter((at) => stream.weight[at] === 1).length / rows.length;
    };
    expect(right(PURCHASE)).toBe(1);
    expect(right(CART)).toBeGreaterThan(0.85);
    expect(right(CART)).toBeLessThan(0.95);
    expect(right(VIEW)).toBeGreaterThan(0.45);
    expect(right(VIEW)).toBeLessThan(0.68);
    expect(DEFAULT_AUGMENTATION.purchaseShare + DEFAULT_AUGMENTATION.cartShare).toBeLessThan(1);
  });

  test('the same seed imitates the same visit', () => {
    expect(augmentPurchases(histories, 0, 50, createRandom(3), draw)).toEqual(augmentPurchases(histories, 0, 50, createRandom(3), draw));
  });
});

describe('lanes', () => {
  test('cut every stream once, start each with a fresh state, and never read what is to be predicted', () => {
    const histories = groupByUser(LOG);
    const streams = [plainStream(histories, 0, 4, { labelOf: (event) => event }), plainStream(histories, 4, 5, { labelOf: (event) => event })];
    const targets: number[] = [];
    for (const chunk of cutIntoChunks(streams.values(), 2, 2)) {
      chunk.targetLabel.forEach((label, row) => {
        if (chunk.targetExists[row] === 0) return;
        targets.push(label);
        const first = label === 0 || label === 4;
        expect(chunk.keep[row]).toBe(first ? 0 : 1);
        expect(chunk.item[row]).toBe(first ? -1 : histories.item[label - 1]);
        expect(chunk.targetItem[row]).toBe(histories.item[label]);
      });
    }
    expect(targets.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('training stops where the lanes empty', () => {
    const histories = groupByUser(LOG);
    const cut = [...cutIntoChunks([plainStream(histories, 0, 4)].values(), 2, 2, { leastFilled: 0.6 })];
    expect(cut).toHaveLength(0);
  });
});
