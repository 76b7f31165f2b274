import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBaskets } from '../../../src/rank/simple/baskets.ts';
import type { SessionContext } from '../../../src/rank/simple/simple-ranker.ts';
import { createVmisKnn, indexSessions } from '../../../src/rank/simple/vmis-knn.ts';

const ITEMS = 6;

/** Sessions, oldest first. */
const past = (...sessions: number[][]) => createBaskets(sessions.map((items, time) => ({ user: time, time, items })));
const context = (...items: number[]): SessionContext => ({ session: items.map((item) => ({ item, weight: 1 })), history: [], now: 100 });

function scores(ranker: ReturnType<typeof createVmisKnn>, asked: SessionContext): number[] {
  const out = new Float32Array(ITEMS).fill(99);
  ranker.score(asked, out);
  return Array.from(out);
}

const close = (values: number[]) => values.map((value) => expect.closeTo(value, 5) as number);

describe('the index of sessions', () => {
  it('keeps the most recent sessions of each item, newest first, a repeated item once', () => {
    const { recent, recentOffsets, inverseFrequency } = indexSessions(past([0, 1, 0], [0], [1, 2], [0, 2]), ITEMS, { sampleSize: 2 });
    const sessionsOf = (item: number) => Array.from(recent.subarray(recentOffsets[item], recentOffsets[item + 1]));
    expect([0, 1, 2, 3].map(sessionsOf)).toEqual([[3, 1], [2, 0], [3, 2], []]);
    expect(Array.from(inverseFrequency)).toEqual(close([Math.log(4 / 3), Math.log(2), Math.log(2), 0, 0, 0]));
  });
});

describe('VMIS-kNN', () => {
  const sessions = past([0, 1, 3], [1, 4], [0, 5], [2]);

  it('adds up similarity, decay of the newest match and idf, as reckoned by hand', () => {
    // For the session 0, 1: item 0 has position 1/2, item 1 has 2/2.
    // Session [0, 1, 3]: similarity 1.5, newest match one step back; [1, 4]: 1, one; [0, 5]: 0.5, two.
    const votes = { first: 0.9 * 1.5, second: 0.9, third: 0.8 * 0.5 };
    const idf = (count: number) => 1 + 10 * Math.log(4 / count);
    expect(scores(createVmisKnn(indexSessions(sessions, ITEMS)), context(0, 1))).toEqual(
      close([(votes.first + votes.third) * idf(2), (votes.first + votes.second) * idf(2), 0, votes.first * idf(1), votes.second * idf(1), votes.third * idf(1)]),
    );
  });

  it('lets only the k nearest vote, and of equal ones the most recent', () => {
    const index = indexSessions(sessions, ITEMS);
    expect(scores(createVmisKnn(index, { neighbours: 1, idfWeight: 0 }), context(0, 1))).toEqual(close([1.35, 1.35, 0, 1.35, 0, 0]));
    expect(scores(createVmisKnn(index, { neighbours: 1, idfWeight: 0 }), context(0))).toEqual(close([0.9, 0, 0, 0, 0, 0.9]));
  });

  it('looks for neighbours among the m most recent sessions that share an item', () => {
    const index = indexSessions(sessions, ITEMS, { sampleSize: 2 });
    // [0, 1, 3] would be the nearest, but [1, 4] and [0, 5] are newer.
    expect(scores(createVmisKnn(index, { idfWeight: 0 }), context(0, 1))).toEqual(close([0.4, 0.9, 0, 0, 0.9, 0.4]));
  });

  it('counts a repeated item at its newest position', () => {
    const ranker = createVmisKnn(indexSessions(sessions, ITEMS), { idfWeight: 0 });
    // 2, 0, 2: item 2 at 3/3, one step back; item 0 at 2/3, two steps back.
    expect(scores(ranker, context(2, 0, 2))).toEqual(close([(0.8 * 4) / 3, 0.8 * (2 / 3), 0.9, 0.8 * (2 / 3), 0, 0.8 * (2 / 3)]));
  });

  it('is silent where the newest match is ten steps back or nothing matches', () => {
    const ranker = createVmisKnn(indexSessions(sessions, ITEMS));
    expect(scores(createVmisKnn(indexSessions(past([0, 1]), ITEMS)), context(0, 2, 3, 4, 5, 2, 3, 4, 5, 2))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(scores(ranker, context())).toEqual([0, 0, 0, 0, 0, 0]);
    expect(scores(createVmisKnn(indexSessions(past(), ITEMS)), context(1))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('weighs stronger behaviour more and leaves out what is no evidence', () => {
    const ranker = createVmisKnn(indexSessions(sessions, ITEMS));
    const viewed = scores(ranker, { ...context(), session: [{ item: 1, weight: 0.25 }, { item: 0, weight: 0 }] });
    expect(viewed).toEqual(close(scores(ranker, context(1)).map((score) => score / 4)));
  });

  it('is finite, not below 0, deaf to unknown items and the same when asked again', () => {
    const anItem = fc.nat(ITEMS - 1);
    fc.assert(
      fc.property(fc.array(fc.array(anItem, { minLength: 1, maxLength: 8 }), { maxLength: 12 }), fc.array(anItem, { maxLength: 14 }), (learnt, asked) => {
        const ranker = createVmisKnn(indexSessions(past(...learnt), ITEMS, { sampleSize: 5 }), { neighbours: 3 });
        const first = scores(ranker, context(...asked));
        expect(first.every((score) => Number.isFinite(score) && score >= 0)).toBe(true);
        expect(scores(ranker, context(-1, ...asked, 99))).toEqual(first);
      }),
    );
  });
});
