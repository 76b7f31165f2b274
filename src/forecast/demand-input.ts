import type { DemandSeries } from '../types.ts';

/** How many weeks the demand LSTM looks back; longer series count through scale and age alone. */
export const WINDOW_WEEKS = 26;

/**
 * Scaled log sales, mask, log scale, share of weeks without a sale, age. Not the week of the year: from one year of sales it
 * cannot be told from that year's events, and with it October was forecast neither clearly better nor worse (one seed), so the simpler input stays.
 */
export const DEMAND_FEATURES = 5;

/** Weeks whose mean is a series' scale: long enough to be calm, short enough to follow a season. */
const SCALE_WEEKS = 8;

/** Added to the scale, in units: below it, sales are counted rather than compared. */
const SCALE_DAMPING = 1;

/** The part of a series that forecasts are made from: units per step, oldest first, null where unknown. */
export type SalesValues = Pick<DemandSeries, 'values'>;

/** A series that the model can read: no value is negative or infinite. */
export interface WeeklySales {
  /** Units per week, oldest first; NaN where unknown. */
  readonly values: Float64Array;
  /** Index of the first known week; the number of weeks where none is known. */
  readonly start: number;
}

/** Reads a shop's series: what is not a finite number is unknown, and more returns than sales is no sale. */
export function readSeries({ values }: SalesValues): WeeklySales {
  return weeklySales(Float64Array.from(values, (value) => (typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : NaN)));
}

/** The same series one week later. */
export function appendWeek({ values }: WeeklySales, value: number): WeeklySales {
  return weeklySales(Float64Array.of(...values, value));
}

function weeklySales(values: Float64Array): WeeklySales {
  const start = values.findIndex((value) => !Number.isNaN(value));
  return { values, start: start < 0 ? values.length : start };
}

/** What one unit of the model means for the week after `week`: the mean of the known sales of the last 8 weeks, plus 1. */
export function scaleAt({ values }: WeeklySales, week: number): number {
  const { sum, known } = recent(values, week);
  return (known === 0 ? 0 : sum / known) + SCALE_DAMPING;
}

/** Sales in the model's unit: log(1 + units / scale). */
export function toScaledLog(units: number, scale: number): number {
  return Math.log1p(units / scale);
}

/** Sales in units again, never below 0. */
export function fromScaledLog(value: number, scale: number): number {
  return Math.max(0, scale * Math.expm1(value));
}

/**
 * Writes what the model reads in one week to out[offset .. offset + 5]. Weeks before the series' first known value are
 * zeros, and so is the time before the series begins (`week` < 0).
 */
export function writeWeek(out: Float32Array, offset: number, sales: WeeklySales, week: number): void {
  const { values, start } = sales;
  const value = values[week] ?? NaN;
  const known = !Number.isNaN(value);
  const scale = scaleAt(sales, week);
  const { zeros } = recent(values, week);
  out[offset] = known ? toScaledLog(value, scale) : 0;
  out[offset + 1] = known ? 1 : 0;
  out[offset + 2] = Math.log(scale) / 4;
  out[offset + 3] = zeros;
  out[offset + 4] = Math.min(Math.max(0, week + 1 - start), WINDOW_WEEKS) / WINDOW_WEEKS;
}

/** Sum, number and share of zeros of the known values in the 8 weeks up to and with `week`. */
function recent(values: Float64Array, week: number): { sum: number; known: number; zeros: number } {
  let sum = 0;
  let known = 0;
  let zeros = 0;
  for (let k = Math.max(0, week + 1 - SCALE_WEEKS); k <= week; k++) {
    const value = values[k]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
    if (value === 0) zeros += 1;
  }
  return { sum, known, zeros: known === 0 ? 0 : zeros / known };
}
