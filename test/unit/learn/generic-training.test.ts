import { describe, expect, test } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { GENERIC_FEATURES, genericTables, trainGenericHead } from '../../../src/learn/generic-training.ts';
import { DEFAULT_HEAD_TRAINING } from '../../../src/learn/head-training.ts';
import { PURCHASE } from '../../../src/learn/histories.ts';
import type { Shop } from '../../../src/learn/shop.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { parseSafetensors, writeSafetensors } from '../../../src/lib/safetensors.ts';
import { FEATURE_SCHEMA } from '../../../src/rank/feature-schema.ts';
import { JointHead } from '../../../src/rank/head.ts';
import { Ranker } from '../../../src/rank/ranker.ts';

const DAY = 86_400;
const KINDS = 6;
const ITEMS = 60;
const TEXT = 8;

/** A shop whose visits stay with one of six kinds of item, which the texts tell apart. */
function tinyShop(): Shop {
  const random = createRandom(3);
  const textVectors = new Float32Array(ITEMS * TEXT);
  for (let item = 0; item < ITEMS; item++) {
    const row = textVectors.subarray(item * TEXT, (item + 1) * TEXT);
    for (let k = 0; k < TEXT; k++) row[k] = 0.2 * random.normal() + (k === item % KINDS ? 1 : 0);
    const length = Math.hypot(...row);
    for (let k = 0; k < TEXT; k++) row[k]! /= length;
  }
  const rows = Array.from({ length: 120 }, (_, visit) => {
    const kind = random.integer(KINDS);
    const items = random.shuffle(Array.from({ length: ITEMS / KINDS }, (_i, k) => k * KINDS + kind)).slice(0, 5);
    return items.map((item) => ({ item, user: visit % 60, time: visit * 0.5 * DAY, session: visit }));
  }).flat();
  const nothing = new Float32Array(ITEMS).fill(NaN);
  return {
    itemIds: Array.from({ length: ITEMS }, (_, item) => `i${item}`),
    titles: Array.from({ length: ITEMS }, (_, item) => `thing ${item}`),
    itemPrices: nothing,
    pricePositions: nothing,
    priceQuantiles: new Float32Array(33),
    textVectors,
    textDimensions: TEXT,
    quantity: new Float32Array(rows.length).fill(1),
    log: {
      users: 60,
      items: ITEMS,
      user: Int32Array.from(rows, ({ user }) => user),
      item: Int32Array.from(rows, ({ item }) => item),
      kind: new Uint8Array(rows.length).fill(PURCHASE),
      time: Float64Array.from(rows, ({ time }) => time),
      price: new Float32Array(rows.length).fill(NaN),
      session: Int32Array.from(rows, ({ session }) => session),
    },
  };
}

describe('a head for any shop', () => {
  test('ranks by text items that it has never seen, and the same seed gives the same bytes', async () => {
    const device = createReferenceDevice();
    const train = () => trainGenericHead(tinyShop(), { from: 30 * DAY, until: 61 * DAY }, createTrainingKernels({}), device, { ...DEFAULT_HEAD_TRAINING, epochs: 4, leastSteps: 0 });
    const { head, lists } = await train();
    expect(lists).toBeGreaterThan(50);
    expect((await train()).head.tensors.get('layer0')!.values).toEqual(head.tensors.get('layer0')!.values);

    const stored = parseSafetensors(writeSafetensors([...head.tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32' as const, shape, values }] as const)));
    const tables = genericTables(new Float32Array(TEXT));
    const ranker = new Ranker({ interest: null, head: new JointHead(stored, { ...FEATURE_SCHEMA, names: GENERIC_FEATURES }, 0, device), tables, device });
    const axis = (k: number): Float32Array => new Float32Array(TEXT).fill(0).map((_, at) => (at === k ? 1 : 0));
    const events = [{ itemId: 'new', index: -1, kind: 'view' as const, time: 0, pricePosition: null, textVector: axis(2), text: 'never seen' }];
    const candidates = Array.from({ length: KINDS }, (_, k) => ({ id: `other ${k}`, index: -1, textVector: axis(k), title: 'what', pricePosition: null, demandForecast: null, lastWeek: null, lastFourWeeks: null, serverPosition: null }));
    const scores = await ranker.score(await ranker.prepare({ events, state: await ranker.initialState() }, 10), candidates);
    expect(scores.indexOf(Math.max(...scores))).toBe(2);
  });
});
