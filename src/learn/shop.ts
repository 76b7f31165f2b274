import type { Baskets } from '../rank/simple/baskets.ts';
import { PRICE_QUANTILES, pricePosition } from '../behaviour/sequence.ts';
import { gather, sortByGroup, type LogColumns } from './histories.ts';

/** All that training knows of a shop; items are those that its log has seen, in the order of the catalogue file. */
export interface Shop {
  readonly itemIds: readonly string[];
  readonly titles: readonly string[];
  /** NaN where there is none, [items]. */
  readonly itemPrices: Float32Array;
  /** Position in the catalogue's prices, 0 to 1; NaN where there is none, [items]. */
  readonly pricePositions: Float32Array;
  readonly priceQuantiles: Float32Array;
  /** [items, textDimensions] */
  readonly textVectors: Float32Array;
  readonly textDimensions: number;
  readonly log: LogColumns;
  /** Units of each line, NaN where unknown, [rows]. */
  readonly quantity: Float32Array;
}

/** Evenly spaced points of the prices' distribution, [PRICE_QUANTILES]; zeros where no item has a price. */
export function priceQuantilesOf(prices: Float32Array): Float32Array {
  const sorted = prices.filter((price) => Number.isFinite(price)).sort();
  if (sorted.length === 0) return new Float32Array(PRICE_QUANTILES);
  return Float32Array.from({ length: PRICE_QUANTILES }, (_, i) => sorted[Math.round((i / (PRICE_QUANTILES - 1)) * (sorted.length - 1))]!);
}

/** Position of every price among the quantiles, NaN where there is none. */
export function pricePositionsOf(prices: Float32Array, quantiles: Float32Array): Float32Array {
  return prices.map((price) => pricePosition(price, quantiles) ?? NaN);
}

/** Mean of the catalogue's text vectors, [text]. */
export function meanTextVector({ textVectors, textDimensions, itemIds }: Shop): Float32Array {
  const mean = new Float32Array(textDimensions);
  for (let at = 0; at < textVectors.length; at++) mean[at % textDimensions]! += textVectors[at]! / itemIds.length;
  return mean;
}

/**
 * The log's sessions as baskets in time order; events without a session are a basket with the shopper's others of that moment.
 * An item is in a basket once, unless `repeats` (default false) are kept.
 */
export function basketsOf(log: LogColumns, { repeats = false } = {}): Baskets {
  const { rows, starts } = sortByGroup(numberBaskets(log));
  const baskets = starts.length - 1;
  const offsets = new Int32Array(baskets + 1);
  const seenIn = new Int32Array(log.items).fill(-1); // the last basket that had each item
  let kept = 0;
  for (let basket = 0; basket < baskets; basket++) {
    for (let at = starts[basket]!; at < starts[basket + 1]!; at++) {
      const row = rows[at]!;
      const item = log.item[row]!;
      if (repeats || seenIn[item] !== basket) rows[kept++] = row; // never ahead of what is read
      seenIn[item] = basket;
    }
    offsets[basket + 1] = kept;
  }
  const lines = rows.subarray(0, kept);
  const first = gather(lines, offsets.subarray(0, baskets));
  return { items: gather(log.item, lines), offsets, time: gather(log.time, first), user: gather(log.user, first) };
}

/** Number of each row's basket, from 0 in the order of their first rows: [rows]. */
function numberBaskets({ users, user, time, session }: LogColumns): Int32Array {
  let last = -1;
  for (let row = 0; row < session.length; row++) last = Math.max(last, session[row]!);
  const ofSession = new Int32Array(last + 1).fill(-1);
  // Rows of one moment follow each other, so that a shopper's last one is enough.
  const ofUser = new Int32Array(users);
  const lastTime = new Float64Array(users).fill(NaN);
  const numbers = new Int32Array(session.length);
  let baskets = 0;
  for (let row = 0; row < session.length; row++) {
    const [visit, who] = [session[row]!, user[row]!];
    if (visit >= 0) {
      if (ofSession[visit] === -1) ofSession[visit] = baskets++;
      numbers[row] = ofSession[visit]!;
      continue;
    }
    if (lastTime[who] !== time[row]) ofUser[who] = baskets++;
    lastTime[who] = time[row]!;
    numbers[row] = ofUser[who]!;
  }
  return numbers;
}
