import type { Forecast } from '../types.ts';
import type { DemandForecaster, SalesSeries } from './demand-baselines.ts';
import { readSeries } from './demand-input.ts';
import type { SalesValues, WeeklySales } from './demand-input.ts';
import { QUANTILES } from './demand.ts';

const DAYS = 7;

/** Weeks that the pattern within the week is measured from. */
const PATTERN_WEEKS = 8;

/** Added to each weekday's sales, as a share of the mean day: a weekday seldom seen is not ruled out. */
const PATTERN_DAMPING = 0.5;

/**
 * Daily forecasts from a weekly model: next weeks' sales, spread over the days by the series' own pattern of the last 8 weeks.
 * Days vary more than weeks do, so the spread of past days around their pattern, not the weekly interval alone, gives
 * median and interval: a product that sells on every third day has a daily median of 0.
 */
export function createDailyForecaster(weekly: DemandForecaster): DemandForecaster {
  return {
    async forecast(series, { horizon }) {
      const daily = series.map(readSeries);
      const weeks = daily.map((days, row): SalesSeries => ({ ...foldWeeks(days), asOf: series[row]!.asOf, stepDays: DAYS }));
      const forecasts = await weekly.forecast(weeks, { horizon: Math.ceil(horizon / DAYS) });
      return daily.map((days, row) => spread(days, forecasts[row]!, horizon));
    },
  };
}

/** Whole weeks that end with the last day; unknown days are taken as the mean of the known ones, fewer than 4 are too few. */
export function foldWeeks({ values, start }: Pick<WeeklySales, 'values' | 'start'>): SalesValues {
  const weeks = Math.floor(values.length / DAYS);
  const offset = values.length - weeks * DAYS;
  return {
    values: Array.from({ length: weeks }, (_, week) => {
      const begin = offset + week * DAYS;
      const known = values.subarray(begin, begin + DAYS).filter((value) => !Number.isNaN(value));
      if (begin < start || known.length < 4) return null;
      return (known.reduce((sum, value) => sum + value, 0) * DAYS) / known.length;
    }),
  };
}

function spread({ values }: WeeklySales, weekly: Forecast, horizon: number): Forecast {
  const recent = values.subarray(-PATTERN_WEEKS * DAYS);
  const { shares, ratios } = weekPattern(recent);
  const [low, median, high] = QUANTILES.map((level) => quantile(ratios, level));
  const days = Array.from({ length: horizon }, (_, day) => {
    const week = Math.floor(day / DAYS);
    const share = shares[day % DAYS]!;
    return {
      // The week's own interval moves the bounds by the root of its relative width: both spreads seldom meet at their ends.
      low: share * low! * damped(weekly.low[week]!, weekly.median[week]!),
      mean: share * weekly.mean[week]!,
      median: share * median! * weekly.median[week]!,
      high: share * high! * damped(weekly.high[week]!, weekly.median[week]!),
    };
  });
  return {
    mean: days.map((day) => day.mean),
    median: days.map((day) => day.median),
    low: days.map((day) => Math.min(day.low, day.median)),
    high: days.map((day) => Math.max(day.high, day.median)),
  };
}

/** Geometric mean of a bound and the median. */
function damped(bound: number, median: number): number {
  return Math.sqrt(bound * median);
}

/**
 * Share of each day of the rolling week (the first is the day after the last one), and how days stood to their share of
 * their own week, ascending.
 */
function weekPattern(recent: Float64Array): { shares: readonly number[]; ratios: Float64Array } {
  const offset = recent.length % DAYS;
  const sums = new Float64Array(DAYS);
  const counts = new Float64Array(DAYS);
  recent.subarray(offset).forEach((value, day) => {
    if (Number.isNaN(value)) return;
    sums[day % DAYS]! += value;
    counts[day % DAYS]! += 1;
  });
  const mean = sums.reduce((total, value) => total + value, 0) / Math.max(1, counts.reduce((total, value) => total + value, 0));
  const levels = Array.from(sums, (sum, day) => (sum + PATTERN_DAMPING * mean) / (counts[day]! + PATTERN_DAMPING));
  const total = levels.reduce((sum, level) => sum + level, 0);
  const shares = levels.map((level) => (total === 0 ? 1 / DAYS : level / total));

  const ratios: number[] = [];
  for (let begin = offset; begin + DAYS <= recent.length; begin += DAYS) {
    const week = recent.subarray(begin, begin + DAYS);
    const sold = week.reduce((sum, value) => sum + value, 0);
    if (!(sold > 0)) continue; // nothing sold, or a day is unknown
    week.forEach((value, day) => ratios.push(value / (shares[day]! * sold)));
  }
  return { shares, ratios: Float64Array.from(ratios.length === 0 ? [1] : ratios).sort() };
}

function quantile(sorted: Float64Array, level: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!;
}
