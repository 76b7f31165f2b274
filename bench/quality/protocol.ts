import { readInteractions } from '../../src/cli/data.ts';
import { createRandom } from '../../src/lib/random.ts';
import { createBaskets, type Baskets } from '../../src/rank/simple/baskets.ts';
import type { Candidate } from '../../src/types.ts';
import { createCandidateServer } from '../../demo/server/candidate-server.ts';
import { createSalesCalendar } from '../../demo/server/sales-calendar.ts';
import { loadShopData, type Product } from '../../demo/server/shop-data.ts';

/** Everything learnt or counted ends before this moment; the invoices from here on are the test. */
export const TEST_FROM = Date.UTC(2011, 10, 1) / 1_000;

/** One line of an invoice as the shopper's device sees it. */
export interface Line {
  readonly product: number;
  readonly price: number;
}

/** An invoice of the test period by a customer who has bought before. */
export interface TestInvoice {
  readonly customer: number;
  /** Unix seconds. */
  readonly time: number;
  /** Distinct products in the order of the till. */
  readonly lines: readonly Line[];
  /** The customer's earlier invoices, oldest first. */
  readonly history: readonly { readonly time: number; readonly lines: readonly Line[] }[];
}

export interface QualityData {
  readonly products: readonly Product[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly invoices: readonly TestInvoice[];
  /** All test invoices of customers with an earlier one, before sampling. */
  readonly eligible: number;
  /** Baskets before the test, which the baselines are counted on. */
  readonly past: Baskets;
  /** All baskets, for what was popular as of an invoice. */
  readonly all: Baskets;
  /** The whole catalogue with each product's demand as of the invoice's day. */
  catalogueAt(time: number): readonly Candidate[];
  /** What the demo's server returns for a basket as of the invoice's time. */
  serverCandidates(items: readonly string[], time: number, limit: number): readonly Candidate[];
}

const DATA = new URL('../../demo/data/', import.meta.url).pathname;

/** Reads Online Retail and draws `sample` test invoices, seeded; all of them where there are fewer. */
export async function loadQualityData(sample: number, seed: number): Promise<QualityData> {
  const shop = loadShopData(DATA.replace(/\/$/, ''));
  const indexOf = new Map(shop.products.map(({ id }, product) => [id, product]));
  const all = readBaskets(await readInteractions(`${DATA}interactions.csv.gz`), indexOf);
  const histories = new Map<number, { time: number; lines: Line[] }[]>();
  const tests: TestInvoice[] = [];
  for (const { user, known, time, lines } of all) {
    const history = histories.get(user) ?? [];
    histories.set(user, history);
    if (known && time >= TEST_FROM && history.length > 0 && lines.length >= 2) tests.push({ customer: user, time, lines, history: [...history] });
    history.push({ time, lines });
  }
  const server = createCandidateServer(shop);
  const calendar = createSalesCalendar(shop);
  const catalogues = new Map<number, readonly Candidate[]>();
  const plain = (baskets: typeof all): Baskets => createBaskets(baskets.map(({ user, time, lines }) => ({ user, time, items: lines.map(({ product }) => product) })));
  const drawn = createRandom(seed).shuffle(Int32Array.from(tests.keys())).slice(0, sample).sort();
  return {
    products: shop.products,
    indexOf,
    invoices: Array.from(drawn, (at) => tests[at]!),
    eligible: tests.length,
    past: plain(all.filter(({ time }) => time < TEST_FROM)),
    all: plain(all),
    catalogueAt(time) {
      const day = calendar.dayOf(time);
      const known = catalogues.get(day) ?? shop.products.map(({ id, title, category, price }, product) => ({ id, title, category, price, demand: calendar.demand(product, day) }));
      catalogues.set(day, known);
      return known;
    },
    serverCandidates: (items, time, limit) => server.candidates({ slot: 'basket', item: items, limit, asOf: time }),
  };
}

interface Basket {
  readonly user: number;
  /** False for guests, of whom no history is known. */
  readonly known: boolean;
  readonly time: number;
  readonly lines: Line[];
}

function readBaskets(log: Awaited<ReturnType<typeof readInteractions>>, indexOf: ReadonlyMap<string, number>): Basket[] {
  const baskets: Basket[] = [];
  const bySession = new Map<number, Basket>();
  for (let row = 0; row < log.item.length; row++) {
    const product = indexOf.get(log.items[log.item[row]!]!);
    if (product === undefined) continue;
    const session = log.session![row]!;
    let basket = bySession.get(session);
    if (!basket) {
      const user = log.user[row]!;
      basket = { user, known: !log.users[user]!.startsWith('guest-'), time: log.time[row]!, lines: [] };
      bySession.set(session, basket);
      baskets.push(basket);
    }
    if (!basket.lines.some((line) => line.product === product)) basket.lines.push({ product, price: log.price![row]! });
  }
  return baskets;
}
