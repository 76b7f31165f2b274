import { describe, expect, test } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { CART, groupByUser, logBefore, PURCHASE, VIEW, type Histories, type LogColumns } from '../../../src/learn/histories.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest } from '../../../src/learn/interest-training.ts';
import { askForOrders, baselineDays, daysToNextOrder, meanAbsoluteError, medianOrderGap } from '../../../src/learn/next-order.ts';

const DAY = 86_400;

/** One shopper's events as [day, kind]. */
function historiesOf(...shoppers: (readonly (readonly [number, number])[])[]): Histories {
  const events = shoppers.flat();
  let end = 0;
  return {
    users: shoppers.length,
    items: 1,
    offsets: Int32Array.of(0, ...shoppers.map((own) => (end += own.length))),
    item: new Int32Array(events.length),
    kind: Uint8Array.from(events, ([, kind]) => kind),
    time: Float64Array.from(events, ([day]) => day * DAY),
    price: new Float32Array(events.length),
    session: new Int32Array(events.length).fill(-1),
  };
}

const HOUR = 1 / 24;
const SHOPPERS = 150;
const histories = historiesOf(
  [[0, PURCHASE], [0.01, PURCHASE], [2, VIEW], [5, VIEW], [5.01, PURCHASE], [5.02, CART], [8, VIEW]],
  [[1, VIEW], [1 + HOUR, PURCHASE], [10, PURCHASE]],
);

describe('when a shopper orders again', () => {
  test('the next order is the first purchase of a later visit, and what the log does not have is not known', () => {
    const days = daysToNextOrder(histories);
    const expected = [5.01, 5, 3.01, NaN, NaN, NaN, NaN, HOUR, 9 - HOUR, NaN];
    days.forEach((value, event) => (Number.isNaN(expected[event]!) ? expect(value, String(event)).toBeNaN() : expect(value, String(event)).toBeCloseTo(expected[event]!, 4)));
  });

  test('it is asked after the last event of each visit with a purchase', () => {
    const questions = askForOrders(histories);
    expect(questions.event).toEqual([1, 8]);
    expect(questions.answer).toEqual([4, 9]);
    expect(questions.user).toEqual([0, 1]);
    expect(medianOrderGap(histories)).toBeCloseTo((5 + 9 - HOUR) / 2, 4);
    expect(medianOrderGap(historiesOf([[0, PURCHASE], [3, VIEW]]))).toBeNull();
  });

  test('a shopper’s own median knows the gaps before the question only', () => {
    const rhythm = historiesOf([[0, PURCHASE], [2, PURCHASE], [6, PURCHASE], [14, PURCHASE]], [[0, PURCHASE], [30, PURCHASE]]);
    const questions = askForOrders(rhythm);
    expect(questions.days).toEqual([2, 4, 8, 30]);
    const { median, ownMedian } = baselineDays(questions, rhythm);
    expect(median).toEqual([6, 6, 6, 6]);
    expect(ownMedian).toEqual([6, 2, 3, 6]);
    expect(meanAbsoluteError(median, questions.days)).toBe((4 + 2 + 2 + 24) / 4);
  });

  test('training learns that it depends on what was bought, which no median can know', async () => {
    const log = rhythmLog();
    const data = {
      protocol: 'temporal' as const,
      training: groupByUser(logBefore(log, 150 * DAY)),
      refit: groupByUser(log),
      textVectors: new Float32Array(0),
      textDimensions: 0,
      priceQuantiles: new Float32Array(101),
      itemPrices: new Float32Array(2).fill(1),
    };
    const options = {
      ...DEFAULT_INTEREST_TRAINING,
      embedding: 4, hidden: 12, lanes: 1, steps: 4, maxEpochs: 1, refitEpochs: 0, learningRate: 2e-2, warmUpSteps: 0, // the visits have one line, so that no later epoch could be better in NDCG
      regularisation: { ...DEFAULT_INTEREST_TRAINING.regularisation, inputDropout: 0, hiddenDropout: 0, daysWeight: 1 },
      augmentation: { purchaseShare: 1, cartShare: 0, noiseViews: 0, noiseCarts: 0, zeroGapShare: 1 },
    };
    const { orders, shipped } = await trainInterest(data, createTrainingKernels({ maxBytes: 64 * 2 ** 20 }), options);
    expect(orders!.questions).toBeGreaterThan(100);
    expect(orders!.median).toBeGreaterThan(6);
    expect(orders!.ownMedian).toBeGreaterThan(6);
    expect(orders!.model).toBeLessThan(2);
    expect(shipped.get('days')!.shape).toEqual([1, 12]);

    const without = await trainInterest(data, createTrainingKernels({ maxBytes: 64 * 2 ** 20 }), { ...options, maxEpochs: 1, regularisation: { ...options.regularisation, daysWeight: 0 } });
    expect(without.orders).toBeNull();
    expect(without.shipped.has('days')).toBe(false);
  });
});

/** Who bought item 0 comes back after 4 days, who bought item 1 after 20; which one is chance. */
function rhythmLog(): LogColumns {
  const rows: { user: number; item: number; time: number; session: number }[] = [];
  let state = 1;
  let session = 0;
  for (let user = 0; user < SHOPPERS; user++) {
    for (let day = user % 7; day < 220;) {
      state = (state * 48_271) % 2_147_483_647;
      const item = (state >> 8) % 2;
      rows.push({ user, item, time: day * DAY, session: session++ });
      day += item === 0 ? 4 : 20;
    }
  }
  rows.sort((a, b) => a.time - b.time);
  return {
    users: SHOPPERS,
    items: 2,
    user: Int32Array.from(rows, ({ user }) => user),
    item: Int32Array.from(rows, ({ item }) => item),
    kind: new Uint8Array(rows.length).fill(PURCHASE),
    time: Float64Array.from(rows, ({ time }) => time),
    price: new Float32Array(rows.length).fill(1),
    session: Int32Array.from(rows, ({ session }) => session),
  };
}
