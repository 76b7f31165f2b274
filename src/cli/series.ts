import { RecommenderError } from '../errors.ts';
import type { SalesValues } from '../forecast/demand-input.ts';
import { readSeries } from './data.ts';

/** Series on one grid of dates. */
export interface SeriesFile {
  readonly stepDays: 1 | 7;
  /** Unix seconds of the last step's date. */
  readonly lastDate: number;
  readonly items: readonly string[];
  /** One per item, all up to the last date, each from its own first date. */
  readonly series: readonly SalesValues[];
}

const SECONDS_PER_DAY = 86_400;

/**
 * Reads `item,date,value` of daily or weekly series; dates that an item lacks are unknown (null), not zero.
 * @throws RecommenderError `INVALID_DATA` for a date that cannot be read, a date given twice, or steps of another length.
 */
export async function readSeriesFile(path: string): Promise<SeriesFile> {
  const rows = await readSeries(path);
  const days = Int32Array.from(rows.date, (date, row) => dayOf(date, path, row));
  if (days.length === 0) throw new RecommenderError('INVALID_DATA', `${path}: no rows.`);
  const last = days.reduce((a, b) => Math.max(a, b));
  const stepDays = stepOf(days, path);
  const byItem = rows.items.map((): Map<number, number> => new Map());
  days.forEach((day, row) => {
    const steps = (last - day) / stepDays;
    const values = byItem[rows.item[row]!]!;
    if (values.has(steps)) throw new RecommenderError('INVALID_DATA', `${path}: line ${row + 2}: item ${rows.items[rows.item[row]!]!} has ${rows.date[row]!} twice.`);
    values.set(steps, rows.value[row]!);
  });
  const series = byItem.map((values) => {
    const length = Math.max(...values.keys()) + 1;
    return { values: Array.from({ length }, (_, step) => known(values.get(length - 1 - step))) };
  });
  return { stepDays, lastDate: last * SECONDS_PER_DAY, items: rows.items, series };
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function dayOf(date: string, path: string, row: number): number {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(date) ? `${date}T00:00:00Z` : date);
  if (Number.isNaN(time)) throw new RecommenderError('INVALID_DATA', `${path}: line ${row + 2}: column "date" is ${JSON.stringify(date)}, not a date such as 2011-03-28.`);
  return Math.floor(time / 1000 / SECONDS_PER_DAY);
}

/** The one distance that all dates are whole multiples of. */
function stepOf(days: Int32Array, path: string): 1 | 7 {
  const distinct = new Int32Array(new Set(days)).sort();
  const weekly = distinct.every((day) => (day - distinct[0]!) % 7 === 0);
  if (weekly && distinct.length > 1) return 7;
  const gaps = distinct.subarray(1).map((day, k) => day - distinct[k]!).sort();
  if (gaps[gaps.length >> 1] === 1) return 1;
  throw new RecommenderError('INVALID_DATA', `${path}: dates should be one day or seven days apart.`);
}
