import type { ShopData } from './shop-data.ts';

/** A basket of hundreds of lines is a shop re-stocking: it says little about what goes with what. */
const MAX_BASKET_LINES = 250;
/** Products sold rarely would otherwise win on one shared basket. */
const POPULARITY_PRIOR = 20;

export interface AlsoBought {
  /** [products] how often each was in a basket with the given ones before `asOf`, over how often it was in any. */
  scores(products: readonly number[], asOf: number): Float64Array;
}

/** Co-occurrence counted per request over the baskets that hold the product: exact for every `asOf`, and about 1 ms. */
export function createAlsoBought({ products, sales }: ShopData): AlsoBought {
  const lines = sales.time.length;
  const baskets = (sales.basket.at(-1) ?? -1) + 1;
  const linesOf = group(sales.basket, baskets); // lines of a basket are not always neighbours in the till's log
  const basketsOf: number[][] = products.map(() => []);
  for (let line = 0; line < lines; line++) {
    const list = basketsOf[sales.product[line]!]!;
    if (list.at(-1) !== sales.basket[line]!) list.push(sales.basket[line]!);
  }

  return {
    scores(given, asOf) {
      const together = new Float64Array(products.length);
      for (const product of given) {
        for (const basket of basketsOf[product]!) {
          const { from, to, rows } = linesOf(basket);
          if (sales.time[rows[from]!]! >= asOf) break;
          if (to - from > MAX_BASKET_LINES) continue;
          const weight = 1 / Math.log2(1 + to - from);
          for (let at = from; at < to; at++) together[sales.product[rows[at]!]!]! += weight;
        }
      }
      for (const product of given) together[product] = 0;
      for (let other = 0; other < together.length; other++) {
        if (together[other]! > 0) together[other]! /= Math.sqrt(countBefore(basketsOf[other]!, asOf, (basket) => timeOf(basket)) + POPULARITY_PRIOR);
      }
      return together;
    },
  };

  function timeOf(basket: number): number {
    const { from, rows } = linesOf(basket);
    return sales.time[rows[from]!]!;
  }
}

function countBefore(baskets: readonly number[], asOf: number, timeOf: (basket: number) => number): number {
  let low = 0;
  let high = baskets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(baskets[middle]!) < asOf) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows by key in one array, keys in order. */
function group(keys: Int32Array, count: number): (key: number) => { readonly from: number; readonly to: number; readonly rows: Int32Array } {
  const offsets = new Int32Array(count + 1);
  for (const key of keys) offsets[key + 1]!++;
  for (let key = 0; key < count; key++) offsets[key + 1]! += offsets[key]!;
  const rows = new Int32Array(keys.length);
  const next = offsets.slice(0, count);
  keys.forEach((key, row) => (rows[next[key]!++] = row));
  return (key) => ({ from: offsets[key]!, to: offsets[key + 1]!, rows });
}
