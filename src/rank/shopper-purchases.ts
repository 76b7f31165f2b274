import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import type { ShopperEvent } from './shopper-view.ts';

/** A shopper's purchases of one item. */
export interface ItemPurchases {
  readonly count: number;
  /** Baskets with it: bought twice in one basket, it was chosen once. */
  readonly baskets: number;
  /** Unix seconds of the first and of the newest purchase. */
  readonly first: number;
  readonly last: number;
  /** Number of the newest basket with it, from 1. */
  readonly lastBasket: number;
}

/** What a shopper bought, as repeat purchases are foreseen from it. */
export interface ShopperPurchases {
  readonly baskets: number;
  /** By item id. */
  readonly items: ReadonlyMap<string, ItemPurchases>;
}

/** Gathers the purchases among the events (oldest first); a pause of over half an hour between two ends a basket. */
export function viewPurchases(events: readonly Pick<ShopperEvent, 'itemId' | 'kind' | 'time'>[]): ShopperPurchases {
  const items = new Map<string, ItemPurchases>();
  let baskets = 0;
  let previous = -Infinity;
  for (const { itemId, kind, time } of events) {
    if (itemId === null || kind !== 'purchase') continue;
    if (time - previous > SESSION_GAP_SECONDS) baskets++;
    previous = time;
    const known = items.get(itemId);
    items.set(itemId, {
      count: (known?.count ?? 0) + 1,
      baskets: (known?.baskets ?? 0) + (known?.lastBasket === baskets ? 0 : 1),
      first: known?.first ?? time,
      last: time,
      lastBasket: baskets,
    });
  }
  return { baskets, items };
}
