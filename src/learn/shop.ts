import type { Baskets } from '../rank/simple/baskets.ts';
import { PRICE_QUANTILES, pricePosition } from '../behaviour/sequence.ts';
import type { LogColumns } from './histories.ts';

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
  const rowsOf = new Map<string, number[]>();
  for (let row = 0; row < log.item.length; row++) {
    const key = log.session[row]! >= 0 ? `s${log.session[row]!}` : `u${log.user[row]!} ${log.time[row]!}`;
    const rows = rowsOf.get(key);
    if (!rows) rowsOf.set(key, [row]);
    else if (repeats || !rows.some((other) => log.item[other] === log.item[row])) rows.push(row);
  }
  const baskets = [...rowsOf.values()];
  const offsets = new Int32Array(baskets.length + 1);
  baskets.forEach((rows, basket) => (offsets[basket + 1] = offsets[basket]! + rows.length));
  return {
    items: Int32Array.from(baskets.flat(), (row) => log.item[row]!),
    offsets,
    time: Float64Array.from(baskets, ([first]) => log.time[first!]!),
    user: Int32Array.from(baskets, ([first]) => log.user[first!]!),
  };
}
