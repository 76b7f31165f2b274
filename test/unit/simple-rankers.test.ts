import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SECONDS_PER_DAY, createBaskets, indexOccurrences } from '../../src/rank/simple/baskets.ts';
import { countCooccurrence, createItemKnn } from '../../src/rank/simple/item-knn.ts';
import { countTransitions, createMarkov } from '../../src/rank/simple/markov.ts';
import { countNeighbours, parseNeighbours, truncateNeighbours } from '../../src/rank/simple/neighbours.ts';
import type { Neighbours } from '../../src/rank/simple/neighbours.ts';
import { createPersonalFrequency } from '../../src/rank/simple/personal-frequency.ts';
import { countPopularity, createPopularity, createRecentPopularity } from '../../src/rank/simple/popularity.ts';
import { countSequentialRules, createSequentialRules } from '../../src/rank/simple/sequential-rules.ts';
import { BEHAVIOUR_WEIGHTS } from '../../src/rank/simple/simple-ranker.ts';
import type { SessionContext, SimpleRanker } from '../../src/rank/simple/simple-ranker.ts';

const DAY = SECONDS_PER_DAY;
const ITEMS = 6;
const forever = { halfLifeDays: Infinity };

const baskets = createBaskets([
  { user: 0, time: 2 * DAY, items: [0, 1, 2] },
  { user: 1, time: 0, items: [0, 1] },
  { user: 0, time: 9 * DAY, items: [0, 2, 3, 1] },
]);

const session = (...items: number[]): SessionContext => ({ session: items.map((item) => ({ item, weight: 1 })), history: [], now: 10 * DAY });

function scores(ranker: SimpleRanker, context: SessionContext, itemCount = ITEMS): number[] {
  const out = new Float32Array(itemCount).fill(99);
  ranker.score(context, out);
  return Array.from(out, (score) => Number(score.toFixed(5)));
}

/** Row of a table as { neighbour: weight }. */
function row({ offsets, items, weights }: Neighbours, item: number): Record<number, number> {
  const entries = Array.from(items.subarray(offsets[item], offsets[item + 1]), (neighbour, k) => [neighbour, weights[offsets[item]! + k]!]);
  return Object.fromEntries(entries) as Record<number, number>;
}

describe('baskets', () => {
  it('are flattened in time order', () => {
    expect(Array.from(baskets.items)).toEqual([0, 1, 0, 1, 2, 0, 2, 3, 1]);
    expect(Array.from(baskets.offsets)).toEqual([0, 2, 5, 9]);
    expect(Array.from(baskets.user)).toEqual([1, 0, 0]);
  });

  it('are inverted without losing a line', () => {
    const { offsets, positions, basketOf } = indexOccurrences(baskets, ITEMS);
    expect(Array.from(positions.subarray(offsets[1], offsets[2]))).toEqual([1, 3, 8]);
    expect(Array.from(basketOf)).toEqual([0, 0, 1, 1, 1, 2, 2, 2, 2]);
  });
});

describe('Markov', () => {
  const table = countTransitions(baskets, ITEMS, forever);

  it('counts what came right after, inside baskets only', () => {
    expect(row(table, 0)).toEqual({ 1: 2, 2: 1 });
    expect(row(table, 1)).toEqual({ 2: 1 });
    expect(row(table, 5)).toEqual({});
  });

  it('follows the last item alone', () => {
    expect(scores(createMarkov(table), session(1, 0))).toEqual([0, 2, 1, 0, 0, 0]);
    expect(scores(createMarkov(table), session())).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('halves a basket with each half-life', () => {
    expect(row(countTransitions(baskets, ITEMS, { halfLifeDays: 7 }), 0)[1]).toBeCloseTo(0.5 ** (9 / 7) + 0.5, 6);
  });
});

describe('sequential rules', () => {
  const table = countSequentialRules(baskets, ITEMS, forever);

  it('weigh pairs by 1 / distance over the root of the first item’s count', () => {
    const scale = 1 / Math.sqrt(3);
    expect(row(table, 0)[1]).toBeCloseTo(scale * (1 + 1 + 1 / 3), 6);
    expect(row(table, 0)[2]).toBeCloseTo(scale * (1 / 2 + 1), 6);
    expect(row(table, 2)).toEqual({ 3: expect.closeTo(1 / Math.SQRT2, 6) as number, 1: expect.closeTo(0.5 / Math.SQRT2, 6) as number });
  });

  it('reach ten steps and no further', () => {
    const long = createBaskets([{ user: 0, time: 0, items: Array.from({ length: 12 }, (_, item) => item) }]);
    const reach = row(countSequentialRules(long, 12, forever), 0);
    expect(reach[10]).toBeCloseTo(0.1, 6);
    expect(reach[11]).toBeUndefined();
  });

  it('let newer session items and stronger behaviour speak louder', () => {
    const ranker = createSequentialRules(table);
    const only2 = scores(ranker, session(2));
    const older2 = scores(ranker, session(2, 5));
    expect(older2[3]).toBeCloseTo(only2[3]! / 4, 4);
    const viewed = scores(ranker, { ...session(), session: [{ item: 2, weight: BEHAVIOUR_WEIGHTS.view }] });
    expect(viewed[3]).toBeCloseTo(only2[3]! / 4, 4);
  });
});

describe('item-kNN', () => {
  it('is a damped cosine of nearby lines, without the item itself', () => {
    const table = countCooccurrence(baskets, ITEMS, { damping: 1, halfLifeDays: Infinity });
    expect(row(table, 0)[1]).toBeCloseTo((1 + 1 + 1 / Math.sqrt(3)) / (3 + 1), 6);
    expect(row(table, 0)[0]).toBeUndefined();
    expect(row(table, 3)[0]).toBeCloseTo(row(table, 0)[3]!, 6);
  });

  it('skips baskets with too many lines', () => {
    expect(row(countCooccurrence(baskets, ITEMS, { maxLines: 3 }), 3)).toEqual({});
  });

  it('ignores session items outside the table', () => {
    const ranker = createItemKnn(countCooccurrence(baskets, ITEMS));
    expect(scores(ranker, session(99, -1))).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('personal frequency', () => {
  it('adds up what was done, halved with each half-life', () => {
    const ranker = createPersonalFrequency(ITEMS, { halfLifeDays: 5 });
    const history = [
      { item: 1, weight: BEHAVIOUR_WEIGHTS.purchase, time: 10 * DAY },
      { item: 1, weight: BEHAVIOUR_WEIGHTS.purchase, time: 5 * DAY },
      { item: 2, weight: BEHAVIOUR_WEIGHTS.cart, time: 5 * DAY },
      { item: 9, weight: 1, time: 5 * DAY },
    ];
    expect(scores(ranker, { session: [], history, now: 10 * DAY })).toEqual([0, 0.5, 0.3, 0, 0, 0]);
  });

  it('weighs a purchase more than a cart, a cart more than a view', () => {
    expect(BEHAVIOUR_WEIGHTS.purchase).toBeGreaterThan(BEHAVIOUR_WEIGHTS.cart);
    expect(BEHAVIOUR_WEIGHTS.cart).toBeGreaterThan(BEHAVIOUR_WEIGHTS.view);
  });
});

describe('popularity', () => {
  it('counts the days before now, and not now itself', () => {
    const ranker = createRecentPopularity(baskets);
    expect(scores(ranker, { session: [], history: [], now: 9 * DAY })).toEqual([1, 1, 1, 0, 0, 0]);
    expect(scores(ranker, { session: [], history: [], now: 9 * DAY + 1 })).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('overall is the number of lines', () => {
    expect(scores(createPopularity(countPopularity(baskets, ITEMS)), session())).toEqual([3, 3, 2, 1, 0, 0]);
  });
});

describe('neighbour table', () => {
  const pairs = fc.array(fc.tuple(fc.nat(7), fc.nat(7), fc.integer({ min: 1, max: 3 })), { maxLength: 60 });
  const count = (counted: [number, number, number][], limit?: number): Neighbours =>
    countNeighbours(
      8,
      (item, add) => {
        for (const [a, b, weight] of counted) if (a === item) add(b, weight);
      },
      limit === undefined ? {} : { limit },
    );

  it('keeps every pair, strongest first, ties by item, whatever the order of counting', () => {
    fc.assert(
      fc.property(pairs, (counted) => {
        const table = count(counted);
        expect(count(counted.toReversed())).toEqual(table);
        expect(table.weights.reduce((sum, weight) => sum + weight, 0)).toBe(counted.reduce((sum, [, , weight]) => sum + weight, 0));
        for (let item = 0; item < 8; item++) {
          for (let k = table.offsets[item]! + 1; k < table.offsets[item + 1]!; k++) {
            const falling = table.weights[k - 1]! > table.weights[k]!;
            expect(falling || (table.weights[k - 1] === table.weights[k] && table.items[k - 1]! < table.items[k]!)).toBe(true);
          }
        }
      }),
    );
  });

  it('truncated afterwards is the table counted with that limit, and still sound', () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 4 }), (counted, limit) => {
        const table = truncateNeighbours(count(counted), limit);
        expect(table).toEqual(count(counted, limit));
        expect(parseNeighbours(table, 8)).toEqual(table);
      }),
    );
  });

  it('uses two bytes per index where they suffice', () => {
    expect(countNeighbours(65_536, () => undefined).items).toBeInstanceOf(Uint16Array);
    expect(countNeighbours(65_537, () => undefined).items).toBeInstanceOf(Int32Array);
  });

  it.each([
    ['an index outside the catalogue', { offsets: Int32Array.of(0, 1, 1), items: Int32Array.of(2), weights: Float32Array.of(1) }],
    ['offsets that fall', { offsets: Int32Array.of(0, 2, 1), items: Int32Array.of(1), weights: Float32Array.of(1) }],
    ['a weight that is not a number', { offsets: Int32Array.of(0, 1, 1), items: Int32Array.of(1), weights: Float32Array.of(NaN) }],
    ['rows for another catalogue', { offsets: Int32Array.of(0, 0), items: Int32Array.of(), weights: Float32Array.of() }],
  ])('refuses %s', (_, table) => {
    expect(() => parseNeighbours(table, 2)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }) as Error);
  });
});
