import { WINDOW_WEEKS } from '../forecast/demand-input.ts';
import { ItemDemandCache, type DemandForecaster, type ItemDemand } from '../forecast/item-demand.ts';
import { weeklySales } from '../forecast/weekly-sales.ts';
import { SECONDS_PER_DAY } from '../rank/simple/baskets.ts';

export interface SoldLines {
  readonly item: Int32Array;
  readonly time: Float64Array;
  readonly quantity: Float32Array;
}

/** What the catalogue's sales say as of a moment: one entry an item, from sales before that day (UTC). Each day is counted once. */
export type DemandAsOf = (seconds: number) => Promise<readonly ItemDemand[]>;

/** Demand of every item as a shop's server would send it, from the log's own lines. */
export function createDemandAsOf(lines: SoldLines, itemIds: readonly string[], model: DemandForecaster | null): DemandAsOf {
  const cache = new ItemDemandCache(model);
  const days = new Map<number, Promise<readonly ItemDemand[]>>();
  return (seconds) => {
    const asOf = Math.floor(seconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
    const known = days.get(asOf) ?? cache.demandOf(weeklySales(lines, itemIds.length, asOf, { from: asOf - WINDOW_WEEKS * 7 * SECONDS_PER_DAY }).map((series, item) => ({ id: itemIds[item]!, series })));
    days.set(asOf, known);
    return known;
  };
}
