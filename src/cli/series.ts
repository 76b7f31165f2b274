import { RecommenderError } from '../errors.ts';
import type { SalesSeries, StepDays } from '../forecast/demand-baselines.ts';
import { readSeries } from './data.ts';

/** Series on one grid of dates. */
export interface SeriesFile {
  readonly stepDays: StepDays;
  /** Unix seconds of the last step's date. */
  readonly lastDate: number;
  readonly items: readonly string[];
  /** One per item, all up to the last date, each from its own first date. */
  readonly series: readonly SalesSeries[];
}

const SECONDS_PER_DAY = 86_400;

/**
 * Reads `item,date,value` of daily or weekly series; dates that an item lacks are unknown (null), not zero.
 * @throws RecommenderError `INVALID_DATA` for a date that cannot be read, a date given twice, or steps of another length.
 */
export async function readSeriesFile(path: string): Promise<SeriesFile> {
  const { items, item, dates, date, value, faultAt } = await readSeries(path);
  const days = Int32Array.from(dates, dayOf);
  const unread = days.indexOf(NO_DAY);
  if (unread >= 0) throw await faultAt(date.indexOf(unread), 'date', 'write a date such as 2011-03-28.');
  const last = days.reduce((a, b) => Math.max(a, b));
  const stepDays = stepOf(days, path);
  const steps = days.map((day) => (last - day) / stepDays); // back from the last date
  const lengths = new Int32Array(items.length);
  item.forEach((code, row) => (lengths[code] = Math.max(lengths[code]!, steps[date[row]!]! + 1)));
  const seen = Array.from(lengths, (length) => new Uint8Array(length));
  const asOf = (last + stepDays) * SECONDS_PER_DAY;
  const series = Array.from(lengths, (length) => ({ values: new Array<number | null>(length).fill(null), asOf, stepDays }));
  for (let row = 0; row < item.length; row++) {
    const code = item[row]!;
    const step = lengths[code]! - 1 - steps[date[row]!]!;
    if (seen[code]![step] === 1) throw await faultAt(row, 'date', `item ${JSON.stringify(items[code]!)} has that date twice; add its values up, or keep one measure.`);
    seen[code]![step] = 1;
    if (!Number.isNaN(value[row]!)) series[code]!.values[step] = value[row]!;
  }
  return { stepDays, lastDate: last * SECONDS_PER_DAY, items, series };
}

const NO_DAY = -(2 ** 31);

/** Days since 1970 of an ISO date, whose time of day is left out; NO_DAY for anything else. */
function dayOf(text: string): number {
  const [, date] = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/.exec(text) ?? [];
  const time = date === undefined ? NaN : Date.parse(date);
  // 30 February would be a day in March.
  return new Date(time || 0).toISOString().slice(0, 10) === date ? time / 1000 / SECONDS_PER_DAY : NO_DAY;
}

/** The one distance that all dates are whole multiples of. */
function stepOf(days: Int32Array, path: string): StepDays {
  const distinct = new Int32Array(new Set(days)).sort();
  if (distinct.length < 2) throw new RecommenderError('INVALID_DATA', `${path}: one date alone; a forecast needs the values of two days or weeks at least.`);
  const weekly = distinct.every((day) => (day - distinct[0]!) % 7 === 0);
  if (weekly) return 7;
  const gaps = distinct.subarray(1).map((day, k) => day - distinct[k]!).sort();
  if (gaps[gaps.length >> 1] === 1) return 1;
  throw new RecommenderError('INVALID_DATA', `${path}: dates should be one day or seven days apart; add values up by day or week.`);
}
