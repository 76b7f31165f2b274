import type { Forecast } from '../types.ts';
import { readSeries } from './demand-input.ts';
import type { SalesValues } from './demand-input.ts';
import { QUANTILES } from './demand.ts';

/** Whatever forecasts sales: the demand LSTM and the baselines beside it. */
export interface DemandForecaster {
  forecast(series: readonly SalesValues[], options: { readonly horizon: number }): Promise<Forecast[]> | Forecast[];
}

/** Sales of the step `step` (0 is the next one) after the end of `history`, NaN where unknown. */
type PointForecast = (history: Float64Array, step: number) => number;

/** How many past forecasts an interval is measured from: half a year of weeks. */
const INTERVAL_ORIGINS = 26;

/** The last known week again. */
export const lastValue = createBaseline((history) => lastKnown(history));

/** The mean of the known ones of the last 4 weeks. */
export const fourWeekMean = createMean(4);

/** The same week a year before; the last value where the series does not reach back that far (see `reachesBackASeason`). */
export const seasonalNaive = createSeasonalNaive(52);

/** Baselines of weekly series; a year is their season. */
export const DEMAND_BASELINES: Readonly<Record<string, DemandForecaster>> = {
  'last value': lastValue,
  '4-week mean': fourWeekMean,
  'seasonal naive': seasonalNaive,
};

/** Baselines of daily series; a week is their season. */
export const DAILY_BASELINES: Readonly<Record<string, DemandForecaster>> = {
  'last value': lastValue,
  '28-day mean': createMean(28),
  'seasonal naive': createSeasonalNaive(7),
};

/** Whether seasonal naive knows the step one season (default 52 weeks) before the next one. */
export function reachesBackASeason(series: SalesValues, season = 52): boolean {
  const { values } = readSeries(series);
  return !Number.isNaN(values[values.length - season] ?? NaN);
}

function createMean(steps: number): DemandForecaster {
  return createBaseline((history) => {
    const known = history.subarray(-steps).filter((value) => !Number.isNaN(value));
    return known.length === 0 ? lastKnown(history) : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

function createSeasonalNaive(season: number): DemandForecaster {
  return createBaseline((history, step) => {
    const value = history[history.length - season + (step % season)] ?? NaN;
    return Number.isNaN(value) ? lastKnown(history) : value;
  });
}

/** A point forecast with an 80 % interval from its own errors on the same series, up to half a year back. */
function createBaseline(point: PointForecast): DemandForecaster {
  const forecastOne = (series: SalesValues, horizon: number): Forecast => {
    const { values } = readSeries(series);
    const steps = Array.from({ length: horizon }, (_, step) => {
      const median = point(values, step);
      const errors = pastErrors(point, values, step);
      const [low, , high] = QUANTILES.map((level) => Math.max(0, median + quantile(errors, level)));
      return { median, low: Math.min(median, low!), high: Math.max(median, high!) };
    });
    const median = steps.map((step) => step.median);
    return { mean: median, median, low: steps.map(({ low }) => low), high: steps.map(({ high }) => high) };
  };
  return { forecast: (series, { horizon }) => series.map((one) => forecastOne(one, horizon)) };
}

/** Actual minus forecast, for forecasts of the same distance made in the past; ascending. */
function pastErrors(point: PointForecast, values: Float64Array, step: number): Float64Array {
  const start = values.findIndex((value) => !Number.isNaN(value));
  const errors: number[] = [];
  const newest = values.length - 1 - step;
  for (let origin = Math.max(start + 1, newest - INTERVAL_ORIGINS + 1, 1); start >= 0 && origin <= newest; origin++) {
    const error = values[origin + step]! - point(values.subarray(0, origin), step);
    if (!Number.isNaN(error)) errors.push(error);
  }
  return Float64Array.from(errors).sort();
}

function lastKnown(history: Float64Array): number {
  return history.findLast((value) => !Number.isNaN(value)) ?? 0;
}

/** Linear between the ranks; 0 of nothing. */
function quantile(sorted: Float64Array, level: number): number {
  const rank = level * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? 0;
  const above = sorted[Math.ceil(rank)] ?? 0;
  return below + (above - below) * (rank - Math.floor(rank));
}
