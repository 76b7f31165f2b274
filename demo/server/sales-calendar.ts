import type { DemandSeries } from 'shelfwise';
import type { ShopData } from './shop-data.ts';

const DAY_SECONDS = 86_400;
const MAX_WEEKS = 26;

/** What was sold per product and day, summed up so that any span of days costs one subtraction. */
export interface SalesCalendar {
  readonly start: number;
  readonly end: number;
  /** Whole days from the first day to `asOf`; the day of `asOf` itself is not over and does not count. */
  dayOf(asOf: number): number;
  /** Baskets with the product in days [from, to). */
  orders(product: number, from: number, to: number): number;
  /** Whether it was sold before the day began. */
  isOnSale(product: number, day: number): boolean;
  /** Weekly units, rolling weeks counted back from the day, oldest first; null before the first sale. */
  demand(product: number, day: number): DemandSeries;
}

export function createSalesCalendar({ products, sales }: ShopData): SalesCalendar {
  const lines = sales.time.length;
  const start = Math.floor((sales.time[0] ?? 0) / DAY_SECONDS) * DAY_SECONDS;
  const end = sales.time[lines - 1] ?? 0;
  const width = Math.floor((end - start) / DAY_SECONDS) + 2; // sums before day 0 … after the last day
  const units = new Int32Array(products.length * width); // [products, days + 1] units sold before the day
  const orders = new Int32Array(products.length * width); // [products, days + 1] lines sold before the day
  const firstSale = new Int32Array(products.length).fill(width);
  for (let line = 0; line < lines; line++) {
    const day = Math.floor((sales.time[line]! - start) / DAY_SECONDS);
    const product = sales.product[line]!;
    units[product * width + day + 1]! += sales.quantity[line]!;
    orders[product * width + day + 1]! += 1;
    firstSale[product] = Math.min(firstSale[product]!, day);
  }
  for (let cell = 0; cell < units.length; cell++) {
    if (cell % width === 0) continue;
    units[cell]! += units[cell - 1]!;
    orders[cell]! += orders[cell - 1]!;
  }
  const between = (sums: Int32Array, product: number, from: number, to: number): number => sums[product * width + to]! - sums[product * width + Math.max(from, 0)]!;

  return {
    start,
    end,
    dayOf: (asOf) => Math.min(Math.max(Math.floor((asOf - start) / DAY_SECONDS), 0), width - 1),
    orders: (product, from, to) => between(orders, product, from, to),
    isOnSale: (product, day) => firstSale[product]! < day,
    demand(product, day) {
      const weeks = Math.min(MAX_WEEKS, Math.floor(day / 7));
      const values = Array.from({ length: weeks }, (_, week) => {
        const to = day - 7 * (weeks - 1 - week);
        return to <= firstSale[product]! ? null : between(units, product, to - 7, to);
      });
      return { measure: 'sales', asOf: start + day * DAY_SECONDS, stepDays: 7, values };
    },
  };
}
