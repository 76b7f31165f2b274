import type { Candidate } from 'shelfwise';
import { createAlsoBought } from './also-bought.ts';
import { createSalesCalendar } from './sales-calendar.ts';
import type { Product, ShopData } from './shop-data.ts';
import { createTextSearch } from './text-search.ts';

export const SLOTS = ['home', 'product', 'search', 'basket'] as const;
export type Slot = (typeof SLOTS)[number];
export const MAX_CANDIDATES = 500;

export interface CandidateRequest {
  readonly slot: Slot;
  /** What was typed, for `search`. */
  readonly q?: string;
  /** The product that is looked at, or those in the basket. */
  readonly item?: readonly string[];
  /** A department alone; `search` needs no `q` then. */
  readonly category?: string;
  /** At most 500, default 100. */
  readonly limit?: number;
  /** Unix seconds; nothing sold then or later is known. Default: the end of the data. */
  readonly asOf?: number;
}

/** A candidate as this server sends it: never a vector, so that the shopper's device encodes. */
export type ServerCandidate = Product & Required<Pick<Candidate, 'score' | 'demand'>>;

export interface CandidateServer {
  /** Products for a slot, best first, the same for every shopper. Throws `RangeError` for a request that makes no sense. */
  candidates(request: CandidateRequest): ServerCandidate[];
}

/** A list of products, best first, and its share in a fused order. */
interface Source {
  readonly scores: Float64Array;
  readonly weight: number;
}

/** Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): ranks of unlike scores can be added, scores cannot. */
const FUSION_RANK = 60;

/** What a shop's server does without knowing its shopper: search, also-bought, best sellers, what is in season. */
export function createCandidateServer(data: ShopData): CandidateServer {
  const { products } = data;
  const indexOf = new Map(products.map(({ id }, index) => [id, index]));
  const departments = [...new Set(products.map(({ category }) => category))];
  const calendar = createSalesCalendar(data);
  const alsoBought = createAlsoBought(data);
  const text = createTextSearch(products);
  const scores = (of: (product: number) => number): Float64Array => Float64Array.from(products, (_, product) => of(product));
  const popular = (day: number, days: number): Float64Array => scores((product) => calendar.orders(product, day - days, day));

  function sources(request: CandidateRequest, given: readonly number[], asOf: number, day: number): Source[] {
    const month = popular(day, 28);
    switch (request.slot) {
      case 'home':
        return [
          { scores: month, weight: 1 },
          { scores: popular(day, 7), weight: 1 },
          // In season: what sold in the four weeks after this day a year ago, and what sells faster than it did.
          { scores: scores((product) => (day >= 365 ? calendar.orders(product, day - 365, day - 337) : 0)), weight: 1 },
          { scores: scores((product) => growth(product, day)), weight: 1 },
          { scores: leaders(month), weight: 1.5 },
        ];
      case 'product': {
        const category = products[given[0]!]!.category;
        return [
          { scores: alsoBought.scores(given, asOf), weight: 3 },
          { scores: text.alike(given[0]!), weight: 1.5 },
          { scores: month.map((score, product) => (products[product]!.category === category ? score : 0)), weight: 0.7 },
          { scores: month, weight: 0.2 },
        ];
      }
      case 'basket':
        return [
          { scores: alsoBought.scores(given, asOf), weight: 3 },
          { scores: month, weight: given.length > 0 ? 0.2 : 1 },
        ];
      case 'search':
        return request.q === undefined ? [{ scores: month, weight: 1 }] : [{ scores: text.search(request.q), weight: 1 }, { scores: month, weight: 0.15 }];
    }
  }

  /** The best of each department first, then the second of each … */
  function leaders(by: Float64Array): Float64Array {
    const ranked = new Float64Array(products.length);
    for (const department of departments) {
      best(by.map((score, product) => (products[product]!.category === department ? score : 0))).forEach((product, rank) => (ranked[product] = 1 / (1 + rank) + by[product]! * 1e-6));
    }
    return ranked;
  }

  function growth(product: number, day: number): number {
    const recent = calendar.orders(product, day - 28, day);
    return recent < 5 ? 0 : recent / (calendar.orders(product, day - 84, day - 28) / 2 + 5);
  }

  return {
    candidates(request) {
      const { slot, item = [], limit = 100, category } = request;
      const asOf = Math.min(request.asOf ?? Infinity, calendar.end + 1);
      const day = calendar.dayOf(asOf);
      const given = [...new Set(item)].map((id) => {
        const product = indexOf.get(id);
        if (product === undefined) throw new RangeError(`item "${id}" is not in the catalogue`);
        return product;
      });
      if (slot === 'product' && given.length === 0) throw new RangeError('slot=product needs an item');
      if (slot === 'search' && request.q === undefined && category === undefined) throw new RangeError('slot=search needs q or category');
      if (category !== undefined && !departments.includes(category)) throw new RangeError(`there is no category "${category}"`);
      const hidden = new Set(given);
      const isEligible = (product: number): boolean =>
        calendar.isOnSale(product, day) && !hidden.has(product) && (category === undefined || products[product]!.category === category);
      const all = sources(request, given, asOf, day);
      const must = slot === 'search' ? all[0]!.scores : null;
      const fused = fuse(all, products.length);
      return best(fused)
        .filter((product) => isEligible(product) && (must === null || must[product]! > 0 || request.q === undefined))
        .slice(0, limit)
        .map((product) => ({ ...products[product]!, score: Number(fused[product]!.toPrecision(6)), demand: calendar.demand(product, day) }));
    },
  };
}

function fuse(sources: readonly Source[], products: number): Float64Array {
  const fused = new Float64Array(products);
  for (const { scores, weight } of sources) best(scores).forEach((product, rank) => (fused[product]! += weight / (FUSION_RANK + rank)));
  return fused;
}

/** Products with a score above 0, best first, ties in the catalogue's order. */
function best(scores: Float64Array): number[] {
  const products: number[] = [];
  scores.forEach((score, product) => {
    if (score > 0) products.push(product);
  });
  return products.sort((a, b) => scores[b]! - scores[a]! || a - b);
}
