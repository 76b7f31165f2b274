import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewPurchases } from '../../../src/rank/shopper-purchases.ts';
import { createBaskets, SECONDS_PER_DAY } from '../../../src/rank/simple/baskets.ts';
import { countRepeats } from '../../../src/rank/simple/repeat-habits.ts';
import type { BehaviourKind } from '../../../src/types.ts';

const basket = (user: number, day: number, ...items: number[]) => ({ user, time: day * SECONDS_PER_DAY, items });
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5) as number);

describe('repeat habits', () => {
  it('are the median days between purchases by one shopper, and the share of buyers who came again', () => {
    const { days, share } = countRepeats(createBaskets([basket(0, 0, 0, 1), basket(0, 4, 0), basket(0, 14, 0), basket(1, 3, 0), basket(2, 1, 1, 1), basket(2, 21, 1)]), 3);
    expect(Array.from(days)).toEqual([4, 20, 0]); // item 0: 4 and 10 days, the lower of the two
    const mean = 2 / 4; // two of four pairs of shopper and item came again
    expect(Array.from(share)).toEqual(close([(1 + 10 * mean) / 12, (1 + 10 * mean) / 12, mean]));
  });

  it('take an item twice in one basket as one purchase, and an empty log as none', () => {
    expect(Array.from(countRepeats(createBaskets([basket(0, 0, 0, 0)]), 1).share)).toEqual([0]);
    expect(Array.from(countRepeats(createBaskets([]), 2).days)).toEqual([0, 0]);
  });
});

describe('a shopper’s purchases', () => {
  const event = (itemId: string | null, minutes: number, kind: BehaviourKind = 'purchase') => ({ itemId, kind, time: 60 * minutes });

  it('are baskets by the pauses between them', () => {
    const { baskets, items } = viewPurchases([event('a', 0), event('b', 20), event('a', 45), event('a', 100), event('c', 101, 'view'), event(null, 102, 'search')]);
    expect(baskets).toBe(2);
    expect(items.get('a')).toEqual({ count: 3, baskets: 2, first: 0, last: 6_000, lastBasket: 2 });
    expect(items.get('b')).toEqual({ count: 1, baskets: 1, first: 1_200, last: 1_200, lastBasket: 1 });
    expect(items.has('c')).toBe(false);
  });

  it('never count more baskets of an item than purchases or baskets', () => {
    const anEvent = fc.record({ itemId: fc.constantFrom('a', 'b', 'c'), kind: fc.constant<BehaviourKind>('purchase'), time: fc.integer({ min: 0, max: 50_000 }) });
    fc.assert(
      fc.property(fc.array(anEvent), (events) => {
        const { baskets, items } = viewPurchases(events);
        for (const one of items.values()) {
          expect(one.baskets).toBeLessThanOrEqual(Math.min(one.count, baskets));
          expect(one.lastBasket).toBeLessThanOrEqual(baskets);
        }
        expect([...items.values()].reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
      }),
    );
  });
});
