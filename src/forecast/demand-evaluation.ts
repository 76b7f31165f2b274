import type { Forecast } from '../types.ts';
import type { DemandForecaster } from './demand-baselines.ts';
import { readSeries } from './demand-input.ts';
import type { SalesValues } from './demand-input.ts';
import { QUANTILES } from './demand.ts';
import { createRandom } from '../lib/random.ts';

/**
 * How forecasts compare with what was sold. Scaled errors are divided by the series' own mean (squared: root mean square)
 * change from one step to the next (daily: from one week to the next) before the forecast (Hyndman & Koehler 2006; RMSSE as in the M5 competition).
 */
export const DEMAND_METRICS = ['mae', 'mase', 'rmsse', 'bias', 'smape', 'pinball', 'coverage80'] as const;

export type DemandMetric = (typeof DEMAND_METRICS)[number];

export interface DemandScores extends Readonly<Record<DemandMetric, number>> {
  /** 95 % bootstrap interval over items. */
  readonly ci: Readonly<Record<DemandMetric, readonly [low: number, high: number]>>;
  /** Items with something to compare: known weeks, and sales that ever changed. */
  readonly items: number;
  /** Per item, in the order of the series; NaN where there is nothing to compare. */
  readonly perItem: Readonly<Record<DemandMetric, Float64Array>>;
}

export interface BacktestOptions {
  /** Steps forecast at a time. */
  readonly horizon: number;
  /** Origins, `step` steps apart, the last one `horizon` steps before the end. */
  readonly windows: number;
  /** Default: the horizon. */
  readonly step?: number;
  /** Steps over which a change is measured: 1 (default), or 7 for daily series. */
  readonly season?: number;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number;
}

/** Forecasts the last weeks of every series from what was known before them; nothing later is shown to the forecaster. */
export async function backtestDemand(
  forecaster: DemandForecaster,
  series: readonly SalesValues[],
  { horizon, windows, step = horizon, season = 1, seed = 1 }: BacktestOptions,
): Promise<DemandScores> {
  const errors = series.map(() => newErrors());
  for (let window = 0; window < windows; window++) {
    const weeksAfter = horizon + window * step;
    const rows = series.flatMap((one, row) => (one.values.length > weeksAfter ? [row] : []));
    const origins = rows.map((row) => endEarlier(series[row]!, weeksAfter));
    const forecasts = await forecaster.forecast(origins, { horizon });
    rows.forEach((row, k) => {
      const { values } = readSeries(series[row]!);
      const actual = values.subarray(values.length - weeksAfter, values.length - weeksAfter + horizon);
      addErrors(errors[row]!, changeOf(origins[k]!, season), forecasts[k]!, actual);
    });
  }
  const perItem = perItemScores(errors);
  const rows = Array.from(errors.keys()).filter((row) => errors[row]!.weeks > 0);
  const means = DEMAND_METRICS.map((metric) => [metric, meanOf(perItem[metric], rows)]);
  const intervals = DEMAND_METRICS.map((metric) => [metric, bootstrapInterval(rows.map((row) => perItem[metric][row]!), { seed })]);
  return {
    ...(Object.fromEntries(means) as Record<DemandMetric, number>),
    ci: Object.fromEntries(intervals) as Record<DemandMetric, [number, number]>,
    items: rows.length,
    perItem,
  };
}

/** The series as it was known `steps` steps before its end. */
export function endEarlier({ values }: SalesValues, steps: number): SalesValues {
  return { values: values.slice(0, values.length - steps) };
}

/**
 * 95 % percentile bootstrap interval of a mean (Efron 1979), for instance of paired differences per item.
 * `resamples` is 1,000 by default.
 */
export function bootstrapInterval(values: readonly number[], { seed = 1, resamples = 1_000 } = {}): [low: number, high: number] {
  const random = createRandom(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let k = 0; k < values.length; k++) sum += values[random.integer(values.length)]!;
    return sum / values.length;
  }).sort();
  return [means[Math.floor(0.025 * resamples)]!, means[Math.floor(0.975 * resamples)]!];
}

/** Sums over the forecast weeks of one item. */
interface ItemErrors {
  weeks: number;
  absolute: number;
  scaled: number;
  scaledSquare: number;
  bias: number;
  smape: number;
  pinball: number;
  covered: number;
}

const newErrors = (): ItemErrors => ({ weeks: 0, absolute: 0, scaled: 0, scaledSquare: 0, bias: 0, smape: 0, pinball: 0, covered: 0 });

function addErrors(errors: ItemErrors, { mean, rootMeanSquare }: Change, { low, median, high }: Forecast, actual: Float64Array): void {
  if (mean === 0) return;
  actual.forEach((sold, step) => {
    if (Number.isNaN(sold)) return;
    const error = median[step]! - sold;
    const quantiles = [low[step]!, median[step]!, high[step]!];
    errors.weeks += 1;
    errors.absolute += Math.abs(error);
    errors.scaled += Math.abs(error) / mean;
    errors.scaledSquare += (error / rootMeanSquare) ** 2;
    errors.bias += error / mean;
    errors.smape += error === 0 ? 0 : (2 * Math.abs(error)) / (sold + median[step]!);
    errors.covered += sold >= low[step]! && sold <= high[step]! ? 1 : 0;
    QUANTILES.forEach((level, q) => {
      const below = sold - quantiles[q]!;
      errors.pinball += Math.max(level * below, (level - 1) * below) / mean / QUANTILES.length;
    });
  });
}

interface Change {
  readonly mean: number;
  readonly rootMeanSquare: number;
}

/** Size of the changes between known steps that are a season apart. */
function changeOf(series: SalesValues, season: number): Change {
  const { values } = readSeries(series);
  const changes = values.subarray(season).map((value, step) => value - values[step]!).filter((change) => !Number.isNaN(change));
  if (changes.length === 0) return { mean: 0, rootMeanSquare: 0 };
  const mean = changes.reduce((sum, change) => sum + Math.abs(change), 0) / changes.length;
  return { mean, rootMeanSquare: Math.sqrt(changes.reduce((sum, change) => sum + change * change, 0) / changes.length) };
}

function perItemScores(errors: readonly ItemErrors[]): Record<DemandMetric, Float64Array> {
  const column = (of: (item: ItemErrors) => number): Float64Array => Float64Array.from(errors, (item) => (item.weeks === 0 ? NaN : of(item)));
  return {
    mae: column(({ absolute, weeks }) => absolute / weeks),
    mase: column(({ scaled, weeks }) => scaled / weeks),
    rmsse: column(({ scaledSquare, weeks }) => Math.sqrt(scaledSquare / weeks)),
    bias: column(({ bias, weeks }) => bias / weeks),
    smape: column(({ smape, weeks }) => smape / weeks),
    pinball: column(({ pinball, weeks }) => pinball / weeks),
    coverage80: column(({ covered, weeks }) => covered / weeks),
  };
}

function meanOf(values: Float64Array, rows: readonly number[]): number {
  return rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length;
}
