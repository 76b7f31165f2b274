import type { DemandSeries } from '../types.ts';

const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY;

/** Sales lines as columns, in any order. */
export interface SalesLines {
  /** [lines] item indexes */
  readonly item: Int32Array;
  /** [lines] Unix seconds */
  readonly time: Float64Array;
  /** [lines] units */
  readonly quantity: Float32Array;
}

/**
 * Units sold of every item in whole weeks that end at `asOf` floored to the day (UTC), since `from` (default the first line).
 * Lines at or after that day are not looked at; weeks before an item's first sale, be it before `from`, are null, for it may not
 * have been on sale.
 */
export function weeklySales({ item, time, quantity }: SalesLines, itemCount: number, asOf: number, { from }: { readonly from?: number } = {}): DemandSeries[] {
  const end = Math.floor(asOf / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const first = from ?? time.reduce((earliest, seconds) => Math.min(earliest, seconds), end);
  const weeks = Math.max(0, Math.floor((end - Math.floor(first / SECONDS_PER_DAY) * SECONDS_PER_DAY) / SECONDS_PER_WEEK));
  const sold = Array.from({ length: itemCount }, () => new Float64Array(weeks));
  const firstWeek = new Int32Array(itemCount).fill(weeks);
  item.forEach((index, line) => {
    const units = quantity[line]!;
    if (time[line]! >= end || !Number.isFinite(units)) return;
    const week = weeks - Math.ceil((end - time[line]!) / SECONDS_PER_WEEK);
    firstWeek[index] = Math.min(firstWeek[index]!, week);
    if (week >= 0) sold[index]![week]! += units;
  });
  return sold.map((units, index) => ({
    measure: 'sales',
    asOf: end,
    stepDays: 7,
    values: Array.from(units, (value, week) => (week < firstWeek[index]! ? null : value)),
  }));
}
