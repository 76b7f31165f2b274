import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/lib/random.ts';
import { collectHeadQueries, type HeadQuery } from '../../../src/learn/head-queries.ts';
import { groupByUser } from '../../../src/learn/histories.ts';
import type { CandidateView } from '../../../src/rank/features.ts';
import type { Ranker } from '../../../src/rank/ranker.ts';

const ITEMS = 150;
const USERS = 100;
const EVENTS = 3;

/** Shows what each candidate looks like: its features are its index and its last week's sales. */
const ranker = {
  initialState: () => Promise.resolve(new Float32Array(0)),
  advance: (state: Float32Array) => Promise.resolve(state),
  prepare: () => Promise.resolve({ hidden: new Float32Array(0), next: null, scores: { knn: new Float32Array(ITEMS) } }),
  features: (_shopper: unknown, views: readonly CandidateView[]) => Promise.resolve(Float32Array.from(views.flatMap(({ index, lastWeek }) => [index, lastWeek ?? NaN]))),
} as unknown as Ranker;

function collect(textDimensions: number): Promise<HeadQuery[]> {
  const random = createRandom(3);
  const rows = USERS * EVENTS;
  const user = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / EVENTS));
  const time = Float64Array.from({ length: rows }, (_, row) => row % EVENTS);
  const histories = groupByUser({ users: USERS, items: ITEMS, user, item: Int32Array.from(user, () => random.integer(ITEMS)), kind: new Uint8Array(rows), time, price: new Float32Array(rows), session: user });
  const sales = new Float32Array(ITEMS).fill(1);
  const names = Array.from({ length: ITEMS }, (_, item) => `item ${item}`);
  return collectHeadQueries(
    {
      protocol: 'leave-one-out',
      ranker,
      histories,
      heldFrom: Int32Array.from({ length: USERS }, (_, one) => histories.offsets[one + 1]! - 1),
      itemIds: names,
      titles: names,
      textVectors: new Float32Array(ITEMS * textDimensions),
      textDimensions,
      pricePositions: new Float32Array(ITEMS),
      demandAt: () => Promise.resolve({ forecast: sales, lastWeek: sales, lastFourWeeks: sales }),
    },
    random,
  );
}

/** [index, last week's sales] of each candidate. */
const shown = ({ features }: HeadQuery): [number, number][] => Array.from({ length: features.length / 2 }, (_, row) => [features[2 * row]!, features[2 * row + 1]!]);

describe('what the head is trained on', () => {
  it('asks some of it once more with candidates that nobody has met', async () => {
    const queries = await collect(4);
    const again = queries.filter(({ kind }) => kind === 'newcomers');
    expect(again.length).toBeGreaterThan(USERS / 10);
    expect(again.length).toBeLessThan(USERS / 2);
    for (const query of again) {
      const before = queries[queries.indexOf(query) - 1]!;
      expect(query.items).toEqual(before.items);
      expect(shown(before).map(([index]) => index)).toEqual([...before.items]);
      const unmet = shown(query).filter(([index]) => index < 0);
      expect(unmet.length).toBeGreaterThan(0);
      expect(unmet.length).toBeLessThan(query.items.length);
      expect(unmet.every(([, sales]) => Number.isNaN(sales))).toBe(true);
    }
  });

  it('but not where nothing else is known of an item', async () => {
    expect((await collect(0)).some(({ kind }) => kind === 'newcomers')).toBe(false);
  });
});
