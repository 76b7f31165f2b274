import { readInteractions } from '../../src/cli/data.ts';
import { weeklySales } from '../../src/forecast/weekly-sales.ts';

const SECONDS_PER_DAY = 86_400;

/** Larger orders are mistakes that were cancelled, or a wholesaler's own. */
const LARGEST_ORDER = 2_000;

/** Best sellers, and how long they must have been on sale. */
const ITEMS = 200;
const LEAST_WEEKS = 39;

export interface GapsData {
  readonly name: 'daily' | 'weekly';
  /** 7 for days, 1 for weeks. */
  readonly season: number;
  /** Units per step, NaN before the first sale; all end together. Days on which the shop was closed are zeros. */
  readonly series: readonly Float64Array[];
  /** Steps that a forecast's error is taken over: 14 days, 4 weeks. */
  readonly horizon: number;
  /** The newest steps of a history, where outliers are planted and values hidden before a forecast: 8 weeks of days, 26 weeks. */
  readonly recent: number;
  /** The shortest history that is asked for a forecast. */
  readonly leastHistory: number;
}

/** Sales of Online Retail's best sellers by units, from their first sale on. */
export async function readBestSellers(path: string): Promise<GapsData[]> {
  const { items, kinds, kind, item, time, quantity } = await readInteractions(path);
  const lines = Array.from(item.keys()).filter((line) => kinds[kind[line]!] === 'purchase' && quantity![line]! < LARGEST_ORDER);
  const sales = { item: Int32Array.from(lines, (line) => item[line]!), time: Float64Array.from(lines, (line) => time[line]!), quantity: Float32Array.from(lines, (line) => quantity![line]!) };
  const units = new Float64Array(items.length);
  sales.item.forEach((index, line) => (units[index]! += sales.quantity[line]!));
  const until = (Math.floor(sales.time.reduce((a, b) => Math.max(a, b)) / SECONDS_PER_DAY) + 1) * SECONDS_PER_DAY;
  const weekly = weeklySales(sales, items.length, until).map(({ values }) => Float64Array.from(values, (value) => value ?? NaN));
  const daily = dailySales(sales, items.length, until);
  const best = Array.from(units.keys())
    .sort((a, b) => units[b]! - units[a]!)
    .filter((index) => weekly[index]!.filter((value) => !Number.isNaN(value)).length >= LEAST_WEEKS)
    .slice(0, ITEMS);
  return [
    { name: 'daily', season: 7, series: best.map((index) => daily[index]!), horizon: 14, recent: 56, leastHistory: 182 },
    { name: 'weekly', season: 1, series: best.map((index) => weekly[index]!), horizon: 4, recent: 26, leastHistory: 26 },
  ];
}

function dailySales({ item, time, quantity }: { item: Int32Array; time: Float64Array; quantity: Float32Array }, itemCount: number, until: number): Float64Array[] {
  const first = Math.floor(time.reduce((a, b) => Math.min(a, b)) / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const days = (until - first) / SECONDS_PER_DAY;
  const sold = Array.from({ length: itemCount }, () => new Float64Array(days));
  const firstDay = new Int32Array(itemCount).fill(days);
  item.forEach((index, line) => {
    const day = Math.floor((time[line]! - first) / SECONDS_PER_DAY);
    sold[index]![day]! += quantity[line]!;
    firstDay[index] = Math.min(firstDay[index]!, day);
  });
  return sold.map((values, index) => values.fill(NaN, 0, firstDay[index]));
}

/** Histories of a series that end where a forecast is made, 4 weeks apart, with what came next. */
export function originsOf(values: Float64Array, { season, horizon, leastHistory }: GapsData): { readonly history: Float64Array; readonly next: Float64Array }[] {
  const start = values.findIndex((value) => !Number.isNaN(value));
  const apart = 4 * season;
  const origins = Array.from({ length: 6 }, (_, k) => values.length - horizon - k * apart).filter((origin) => origin - start >= leastHistory);
  return origins.map((origin) => ({ history: values.slice(0, origin), next: values.slice(origin, origin + horizon) }));
}

/** Mean absolute change from one season to the next, which errors are divided by (Hyndman & Koehler 2006). */
export function seasonalChange(values: Float64Array, season: number): number {
  return meanOf(Array.from(values.subarray(season), (value, at) => Math.abs(value - values[at]!)).filter((change) => !Number.isNaN(change)));
}

export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Point forecasts of the mean of the next steps from the known values: two of days, one of weeks. */
export const FORECASTS: Readonly<Record<GapsData['name'], Readonly<Record<string, (history: Float64Array) => number>>>> = {
  daily: {
    '28-day mean': (history) => meanOf(known(history.subarray(-28))),
    'weekday median': (history) => {
      const days = Array.from({ length: 7 }, (_, day) => known(history.subarray(-56).filter((__, at) => at % 7 === day)).sort());
      return meanOf(days.flatMap((values) => (values.length === 0 ? [] : [(values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2])));
    },
  },
  weekly: {
    '4-week mean': (history) => meanOf(known(history.subarray(-4))),
    '8-week median': (history) => {
      const values = known(history.subarray(-8)).sort();
      return (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2;
    },
  },
};

/** Where all of the window is unknown, nothing sold as far as is known. */
function known(values: Float64Array): Float64Array {
  const found = values.filter((value) => !Number.isNaN(value));
  return found.length === 0 ? Float64Array.of(0) : found;
}
