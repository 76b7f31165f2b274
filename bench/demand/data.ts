import { readInteractions } from '../../src/cli/data.ts';
import type { SalesSeries } from '../../src/forecast/demand-baselines.ts';
import type { SalesLines } from '../../src/forecast/weekly-sales.ts';

export const INTERACTIONS = 'demo/data/interactions.csv.gz';

/** Lines of more units are a bulk buyer's slip (some were cancelled minutes later), not demand. */
const MAX_UNITS = 2_000;

/** The products that are forecast: the best-selling ones of the whole log. */
const PRODUCTS = 300;

const SECONDS_PER_DAY = 86_400;

/** How a kind of series is asked: the origins lie a horizon apart, the last one a horizon before the end of the log. */
export interface DemandTask {
  readonly name: 'daily' | 'weekly';
  readonly stepDays: 1 | 7;
  readonly horizon: number;
  readonly windows: number;
}

export const DEMAND_TASKS: readonly DemandTask[] = [
  { name: 'daily', stepDays: 1, horizon: 14, windows: 3 },
  { name: 'weekly', stepDays: 7, horizon: 4, windows: 3 },
];

export interface DemandData {
  /** All sales of all products of the log: what a model may learn from. */
  readonly lines: SalesLines;
  readonly itemCount: number;
  /** Of the products that are forecast, the best-selling one first. */
  readonly items: readonly string[];
  /** One per product and step of a task; a day without a sale is 0, so that a day on which the shop is closed is, too. */
  readonly series: (task: DemandTask) => readonly SalesSeries[];
}

/** Online Retail's purchases as series from the first to the last day (UTC) of the log. */
export async function readDemandData(path = INTERACTIONS): Promise<DemandData> {
  const { items, item, time, quantity, kind, kinds } = await readInteractions(path);
  const purchase = kinds.indexOf('purchase');
  const kept = Array.from(item.keys()).filter((line) => kind[line] === purchase && quantity![line]! < MAX_UNITS);
  const lines: SalesLines = {
    item: Int32Array.from(kept, (line) => item[line]!),
    time: Float64Array.from(kept, (line) => time[line]!),
    quantity: Float32Array.from(kept, (line) => quantity![line]!),
  };
  const dayOf = (seconds: number): number => Math.floor(seconds / SECONDS_PER_DAY);
  const firstDay = dayOf(lines.time.reduce((a, b) => Math.min(a, b)));
  const days = dayOf(lines.time.reduce((a, b) => Math.max(a, b))) + 1 - firstDay;
  const units = items.map(() => new Float64Array(days));
  lines.item.forEach((product, line) => (units[product]![dayOf(lines.time[line]!) - firstDay]! += lines.quantity[line]!));
  const totals = units.map((sold) => sold.reduce((sum, value) => sum + value, 0));
  const best = Array.from(totals.keys()).sort((a, b) => totals[b]! - totals[a]!).slice(0, PRODUCTS);
  const asOf = (firstDay + days) * SECONDS_PER_DAY;
  return {
    lines,
    itemCount: items.length,
    items: best.map((product) => items[product]!),
    series: ({ stepDays }) => best.map((product) => ({ values: addUp(units[product]!, stepDays), asOf, stepDays })),
  };
}

/** Whole steps that end with the last day. */
function addUp(units: Float64Array, stepDays: number): number[] {
  const steps = Math.floor(units.length / stepDays);
  const begin = units.length - steps * stepDays;
  return Array.from({ length: steps }, (_, step) => units.subarray(begin + step * stepDays, begin + (step + 1) * stepDays).reduce((sum, value) => sum + value, 0));
}
