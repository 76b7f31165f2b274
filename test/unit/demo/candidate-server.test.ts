import { describe, expect, it } from 'vitest';
import { createCandidateServer } from '../../../demo/server/candidate-server.ts';
import { parseRequest } from '../../../demo/server/http.ts';
import type { ShopData } from '../../../demo/server/shop-data.ts';

const DAY = 86_400;
const START = Date.UTC(2011, 0, 3) / 1000;

interface Sale {
  readonly day: number;
  readonly basket: number;
  readonly items: readonly string[];
  readonly quantity?: number;
}

const TITLES: Readonly<Record<string, readonly [string, string]>> = {
  mug: ['Red Mug', 'Kitchen'],
  cup: ['Blue Tea Cup', 'Kitchen'],
  tray: ['Tea Tray', 'Kitchen'],
  star: ['Christmas Star', 'Christmas'],
  tree: ['Christmas Tree', 'Christmas'],
};

/** A shop of five products, with the sales in time order at noon of their days. */
function shopOf(sales: readonly Sale[]): ShopData {
  const products = Object.entries(TITLES).map(([id, [title, category]]) => ({ id, title, category, price: 1, picture: [] }));
  const lines = sales.flatMap(({ day, basket, items, quantity = 1 }) => items.map((item) => ({ day, basket, quantity, product: products.findIndex(({ id }) => id === item) })));
  return {
    products,
    sales: {
      product: Int32Array.from(lines, ({ product }) => product),
      time: Float64Array.from(lines, ({ day }) => START + day * DAY + DAY / 2),
      quantity: Int32Array.from(lines, ({ quantity }) => quantity),
      basket: Int32Array.from(lines, ({ basket }) => basket),
    },
  };
}

const SALES: readonly Sale[] = [
  { day: 0, basket: 0, items: ['mug', 'tray'], quantity: 3 },
  { day: 8, basket: 1, items: ['mug', 'cup'], quantity: 5 },
  { day: 15, basket: 2, items: ['mug', 'cup', 'tray'] },
  { day: 30, basket: 3, items: ['star', 'tree'] },
  { day: 40, basket: 4, items: ['mug', 'star'], quantity: 7 },
];

describe('candidate server', () => {
  it('never looks past asOf: later sales change nothing', () => {
    // A moment after the last sale that both shops know.
    const asOf = START + 15.5 * DAY + 1;
    const whole = createCandidateServer(shopOf(SALES));
    const past = createCandidateServer(shopOf(SALES.filter(({ day }) => day < 20)));
    for (const request of [
      { slot: 'home' },
      { slot: 'product', item: ['mug'] },
      { slot: 'basket', item: ['mug', 'tray'] },
      { slot: 'search', q: 'tea' },
      { slot: 'search', category: 'Christmas' },
    ] as const) {
      const [withFuture, without] = [whole, past].map((server) => server.candidates({ ...request, asOf }).map(({ id, score }) => ({ id, score })));
      expect(withFuture, request.slot).toEqual(without);
    }
  });

  it('counts weekly units back from the day of asOf, null before the first sale', () => {
    const server = createCandidateServer(shopOf(SALES));
    const demandOf = (id: string, day: number) => server.candidates({ slot: 'home', asOf: START + day * DAY + 5 }).find((candidate) => candidate.id === id)?.demand;
    expect(demandOf('mug', 21)?.values).toEqual([3, 5, 1]);
    expect(demandOf('cup', 21)?.values).toEqual([null, 5, 1]);
    // Six days later the first sale is in a fourth week back, which is not whole.
    expect(demandOf('mug', 27)?.values).toEqual([5, 1, 0]);
    expect(demandOf('mug', 21)).toMatchObject({ measure: 'sales', stepDays: 7, asOf: START + 21 * DAY });
    expect(demandOf('star', 21)).toBeUndefined();
  });

  it('gives what was bought together, without what was given', () => {
    const server = createCandidateServer(shopOf(SALES));
    const ids = server.candidates({ slot: 'basket', item: ['mug'], asOf: START + 20 * DAY }).map(({ id }) => id);
    expect(ids[0]).toBe('cup');
    expect(ids).not.toContain('mug');
  });

  it('orders by its own score, the same each time', () => {
    const server = createCandidateServer(shopOf(SALES));
    const candidates = server.candidates({ slot: 'home' });
    expect(candidates.map(({ score }) => score)).toEqual(candidates.map(({ score }) => score).sort((a, b) => b - a));
    expect(server.candidates({ slot: 'home' })).toEqual(candidates);
    expect(server.candidates({ slot: 'home', limit: 2 })).toEqual(candidates.slice(0, 2));
  });

  it('finds misspelt and plural words', () => {
    const server = createCandidateServer(shopOf(SALES));
    expect(server.candidates({ slot: 'search', q: 'chrismas stars' })[0]?.id).toBe('star');
    expect(server.candidates({ slot: 'search', q: 'zzz' })).toEqual([]);
  });
});

describe('parseRequest', () => {
  it.each([
    ['', 'slot must be one of'],
    ['slot=home&limit=0', 'limit must be'],
    ['slot=home&limit=1.5', 'limit must be'],
    ['slot=home&asOf=yesterday', 'asOf must be'],
    ['slot=search&q=%20', 'q is empty'],
    [`slot=search&q=${'x'.repeat(201)}`, 'q is longer'],
  ])('refuses "%s" with one line', (query, line) => {
    expect(() => parseRequest(new URLSearchParams(query))).toThrow(line);
  });

  it('reads all that is asked', () => {
    expect(parseRequest(new URLSearchParams('slot=basket&item=a&item=b&limit=5&asOf=1300000000'))).toEqual({ slot: 'basket', item: ['a', 'b'], limit: 5, asOf: 1_300_000_000 });
  });
});
