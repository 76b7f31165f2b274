import { describe, expect, test } from 'vitest';
import { userTextVector, viewShopper, type PageText, type ShopperEvent } from '../../../src/rank/shopper-view.ts';

const HOUR = 3_600;
const NOW = 1_000_000;

const event = (changes: Partial<ShopperEvent>): ShopperEvent => ({
  itemId: 'a',
  index: 0,
  kind: 'view',
  time: NOW - 60,
  pricePosition: null,
  textVector: Float32Array.of(1, 0),
  ...changes,
});

describe('the view of a shopper', () => {
  test('a pause of over half an hour ends a session', () => {
    const events = [event({ index: 1, time: NOW - 5 * HOUR }), event({ index: 2, time: NOW - 40 * 60 }), event({ index: 3, time: NOW - 20 * 60 }), event({ index: 4 })];
    const { context } = viewShopper(events, NOW, 2);
    expect(context.session.map(({ item }) => item)).toEqual([2, 3, 4]);
    expect(context.history.map(({ item }) => item)).toEqual([1]);
  });

  test('after a pause nothing is in the session any more', () => {
    const { context, sessionLength, historyLength } = viewShopper([event({ time: NOW - HOUR })], NOW, 2);
    expect(context.session).toEqual([]);
    expect([sessionLength, historyLength]).toEqual([0, 1]);
  });

  test('kinds weigh in their order, and what was only shown counts nothing', () => {
    const kinds = ['purchase', 'cart', 'view', 'impression'] as const;
    const { context } = viewShopper(kinds.map((kind, index) => event({ kind, index })), NOW, 2);
    const weights = context.session.map(({ weight }) => weight);
    expect(weights).toHaveLength(3);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    expect(new Set(weights).size).toBe(3);
  });

  test('an item that the pack does not know is no session item, but its text and time count', () => {
    const view = viewShopper([event({ itemId: 'new', index: -1 })], NOW, 2);
    expect(view.context.session).toEqual([]);
    expect(view.lastTouched.get('new')).toBe(NOW - 60);
    expect(view.textWeights).toHaveLength(1);
  });

  test('u_u leans to the newest and the strongest, and is of unit length', () => {
    const old = event({ time: NOW - 120, textVector: Float32Array.of(1, 0) });
    const recent = event({ textVector: Float32Array.of(0, 1) });
    const user = userTextVector(viewShopper([old, recent], NOW, 2), 2)!;
    expect(user[1]).toBeGreaterThan(user[0]!);
    expect(Math.hypot(...user)).toBeCloseTo(1, 6);
    const bought = userTextVector(viewShopper([{ ...old, kind: 'purchase' }, recent], NOW, 2), 2)!;
    expect(bought[0]).toBeGreaterThan(bought[1]!);
  });

  test('a search is read through its text alone; without texts there is no u_u', () => {
    const search = event({ itemId: null, index: -1, kind: 'search', textVector: Float32Array.of(0.6, 0.8) });
    const view = viewShopper([search], NOW, 2);
    expect(view.lastTouched.size).toBe(0);
    expect([...userTextVector(view, 2)!].map((value) => Math.round(value * 10))).toEqual([6, 8]);
    expect(userTextVector(viewShopper([], NOW, 2), 2)).toBeNull();
  });

  describe('on a page that says something', () => {
    const says = (text: string, ...vector: number[]): PageText => ({ text, textVector: Float32Array.from(vector) });
    const page = [says('red mug', 0, 1), says('Kitchen', 0.6, 0.8)];
    const shareOf = ({ textWeights, pageTexts }: ReturnType<typeof viewShopper>): number => {
      const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0);
      return sum(textWeights.slice(0, pageTexts)) / sum(textWeights);
    };

    test('its texts are all that is known of a new shopper, the first of them most', () => {
      const view = viewShopper([], NOW, 2, page);
      expect([view.titles, view.pageTexts, view.historyLength + view.sessionLength]).toEqual([['red mug', 'Kitchen'], 2, 0]);
      expect(view.textWeights[0]).toBeGreaterThan(view.textWeights[1]!);
      expect(userTextVector(view, 2)![1]).toBeGreaterThan(0.9);
    });

    test('they fade with every behaviour, whose own weights stay as they are', () => {
      const shopper = (count: number): ShopperEvent[] => Array.from({ length: count }, () => event({}));
      const shares = [0, 1, 3, 10, 100, 1_000].map((count) => shareOf(viewShopper(shopper(count), NOW, 2, page)));
      expect(shares[0]).toBe(1);
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
      expect(new Set(shares).size).toBe(shares.length);
      expect(shares[3]).toBeLessThan(0.5);
      expect(shares[5]).toBeLessThan(0.02);
      expect(viewShopper(shopper(12), NOW, 2, page).textWeights.slice(2)).toEqual(viewShopper(shopper(12), NOW, 2).textWeights);
    });

    test('what was typed or seen in this session is not said twice, nor what the page says twice', () => {
      const search = event({ itemId: null, index: -1, kind: 'search', text: 'Red mug ', textVector: Float32Array.of(0, 1) });
      expect(viewShopper([search], NOW, 2, page).titles).toEqual(['Kitchen', 'Red mug ']);
      expect(viewShopper([{ ...search, time: NOW - 2 * HOUR }], NOW, 2, page).titles).toEqual(['red mug', 'Kitchen', 'Red mug ']);
      expect(viewShopper([], NOW, 2, [...page, says('kitchen', 0.6, 0.8)]).titles).toEqual(['red mug', 'Kitchen']);
    });

    test('without texts in the pack it says nothing', () => {
      expect(viewShopper([], NOW, 0, [says('red mug')])).toMatchObject({ textWeights: [], pageTexts: 0 });
    });
  });

  test('clocks that run backwards change nothing of what is counted', () => {
    const view = viewShopper([event({ index: 1, time: NOW + 500 }), event({ index: 2, time: NOW - 500 })], NOW, 2);
    expect(view.context.session).toHaveLength(2);
  });
});
