import { groupByUser, VIEW, type Histories, type LogColumns } from '../../src/learn/histories.ts';
import type { InterestData } from '../../src/learn/interest-training.ts';

/** A log of shoppers who each view as many items, one a second and all at once. */
export function viewingShoppers(shape: { readonly shoppers: number; readonly events: number; readonly items: number }, itemOf: (shopper: number, at: number) => number): LogColumns {
  const { shoppers, events, items } = shape;
  const rows = Array.from({ length: shoppers * events }, (_, row) => ({ shopper: row % shoppers, at: Math.floor(row / shoppers) }));
  return {
    users: shoppers,
    items,
    user: Int32Array.from(rows, ({ shopper }) => shopper),
    item: Int32Array.from(rows, ({ shopper, at }) => itemOf(shopper, at)),
    kind: new Uint8Array(rows.length).fill(VIEW),
    time: Float64Array.from(rows, ({ at }) => at),
    price: new Float32Array(rows.length).fill(NaN),
    session: Int32Array.from(rows, ({ shopper }) => shopper),
  };
}

/** Sessions to train on by item identities alone. */
export function sessionData(training: LogColumns, refit = training): InterestData {
  const histories = (log: LogColumns): Histories => groupByUser(log, { repeats: true });
  return {
    protocol: 'session',
    training: histories(training),
    refit: histories(refit),
    textVectors: new Float32Array(0),
    textDimensions: 0,
    priceQuantiles: new Float32Array(101),
    itemPrices: new Float32Array(training.items).fill(NaN),
  };
}
