import { createRandom } from '../lib/random.ts';
import type { Forecast } from '../types.ts';
import type { DemandForecaster, SalesSeries } from './demand-baselines.ts';
import { SEASON_STEPS } from './demand-baselines.ts';
import { readSeries } from './demand-input.ts';

/**
 * How forecasts compare with what was sold, for one series and origin, over the steps that are known. The scale is the error of the seasonal
 * naive forecast in the series before the origin: the change from a step to the one a season later (7 days, 4 weeks).
 *
 * - `mase`: mean |median − sold| / mean |change| (Hyndman & Koehler 2006, "Another look at measures of forecast accuracy", section 3).
 * - `rmsse`: root of (mean (mean − sold)² / mean change²), the mean forecast's (Makridakis et al. 2022, "The M5 accuracy competition", section 2; there with the change from step to step).
 * - `bias`: mean (mean − sold) / mean |change|, the mean forecast's: above 0 where too much is forecast.
 * - `smape`: mean 2 |median − sold| / (median + sold), 0 of 0 and 0, at most 2 (Makridakis et al. 2020, "The M4 competition", section 3).
 * - `coverage80`: the share of steps whose sales lie in the 80 % interval, bounds included.
 *
 * A series' figure is the mean over its origins; of many series, the mean over these.
 */
export const DEMAND_METRICS = ['mase', 'rmsse', 'bias', 'smape', 'coverage80'] as const;

/** Also measured, and not in the tables: the mean pinball loss of the bounds and the median / mean |change| (Koenker & Bassett 1978, "Regression Quantiles"), which a wide interval pays for. */
export const SERIES_METRICS = [...DEMAND_METRICS, 'pinball'] as const;

export type DemandMetric = (typeof SERIES_METRICS)[number];

/** Per series, in their order; NaN where there is nothing to compare: no known step, or sales that never changed before. */
export type SeriesScores = Readonly<Record<DemandMetric, Float64Array>>;

/** Means over series. */
export interface DemandScores extends Readonly<Record<DemandMetric, number>> {
  /** 95 % bootstrap interval over series. */
  readonly ci: Readonly<Record<DemandMetric, readonly [low: number, high: number]>>;
  /** Series with something to compare. */
  readonly items: number;
}

/** Scores of forecasts made `stepsBack` steps before the end of every series; the forecaster is shown nothing later. */
export async function scoreOrigin(
  forecaster: DemandForecaster,
  series: readonly SalesSeries[],
  { horizon, stepsBack }: { readonly horizon: number; readonly stepsBack: number },
): Promise<SeriesScores> {
  const rows = Array.from(series.keys()).filter((row) => series[row]!.values.length > stepsBack);
  const known = rows.map((row) => endEarlier(series[row]!, stepsBack));
  const forecasts = known.length === 0 ? [] : await forecaster.forecast(known, { horizon });
  const scores = newScores(series.length);
  rows.forEach((row, k) => {
    const { values } = readSeries(series[row]!);
    const sold = values.subarray(values.length - stepsBack, Math.min(values.length, values.length - stepsBack + horizon));
    const figures = scoreForecast(forecasts[k]!, sold, changeOf(known[k]!));
    for (const metric of SERIES_METRICS) scores[metric][row] = figures[metric];
  });
  return scores;
}

/** Per series, the mean of what is known of its origins. */
export function meanOverOrigins(origins: readonly SeriesScores[]): SeriesScores {
  const mean = newScores(origins[0]?.mase.length ?? 0);
  for (const metric of SERIES_METRICS) mean[metric].set(mean[metric].map((_, row) => meanOfKnown(origins.map((scores) => scores[metric][row]!))));
  return mean;
}

/** Means over the series that have figures, with intervals; `seed` is the bootstrap's. */
export function summariseScores(scores: SeriesScores, { seed = 1 } = {}): DemandScores {
  const known = Object.fromEntries(SERIES_METRICS.map((metric) => [metric, Array.from(scores[metric]).filter((value) => !Number.isNaN(value))])) as Record<DemandMetric, number[]>;
  const of = <T>(figure: (values: readonly number[]) => T): Record<DemandMetric, T> => Object.fromEntries(SERIES_METRICS.map((metric) => [metric, figure(known[metric])])) as Record<DemandMetric, T>;
  return { ...of(meanOfKnown), ci: of((values) => bootstrapInterval(values, { seed })), items: known.mase.length };
}

/** The series as it was known `steps` steps before its end. */
export function endEarlier({ values, asOf, stepDays }: SalesSeries, steps: number): SalesSeries {
  return { values: values.slice(0, values.length - steps), asOf: asOf - steps * stepDays * SECONDS_PER_DAY, stepDays };
}

/**
 * 95 % percentile bootstrap interval of a mean (Efron 1979), for instance of paired differences per series; NaN of nothing.
 * `resamples` is 1,000 by default.
 */
export function bootstrapInterval(values: readonly number[], { seed = 1, resamples = 1_000 } = {}): [low: number, high: number] {
  if (values.length === 0) return [NaN, NaN];
  const random = createRandom(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let k = 0; k < values.length; k++) sum += values[random.integer(values.length)]!;
    return sum / values.length;
  }).sort();
  return [means[Math.floor(0.025 * resamples)]!, means[Math.floor(0.975 * resamples)]!];
}

const SECONDS_PER_DAY = 86_400;

const NOTHING: Readonly<Record<DemandMetric, number>> = { mase: NaN, rmsse: NaN, bias: NaN, smape: NaN, coverage80: NaN, pinball: NaN };

const newScores = (series: number): Record<DemandMetric, Float64Array> => {
  const column = (): Float64Array => new Float64Array(series).fill(NaN);
  return { mase: column(), rmsse: column(), bias: column(), smape: column(), coverage80: column(), pinball: column() };
};

/** Size of the changes between known steps a season apart. */
interface Change {
  readonly mean: number;
  readonly rootMeanSquare: number;
}

function scoreForecast({ mean, median, low, high }: Forecast, actual: Float64Array, scale: Change): Record<DemandMetric, number> {
  const steps = Array.from(actual.keys()).filter((step) => !Number.isNaN(actual[step]!));
  if (steps.length === 0 || !(scale.mean > 0)) return NOTHING;
  const average = (of: (step: number, sold: number) => number): number => steps.reduce((sum, step) => sum + of(step, actual[step]!), 0) / steps.length;
  return {
    mase: average((step, sold) => Math.abs(median[step]! - sold)) / scale.mean,
    rmsse: Math.sqrt(average((step, sold) => (mean[step]! - sold) ** 2)) / scale.rootMeanSquare,
    bias: average((step, sold) => mean[step]! - sold) / scale.mean,
    smape: average((step, sold) => (median[step]! === sold ? 0 : (2 * Math.abs(median[step]! - sold)) / (median[step]! + sold))),
    coverage80: average((step, sold) => (sold >= low[step]! && sold <= high[step]! ? 1 : 0)),
    pinball: average((step, sold) => (pinballLoss(0.1, low[step]! - sold) + pinballLoss(0.5, median[step]! - sold) + pinballLoss(0.9, high[step]! - sold)) / 3) / scale.mean,
  };
}

/** `error` is forecast minus actual. */
function pinballLoss(level: number, error: number): number {
  return Math.max((1 - level) * error, -level * error);
}

function changeOf(series: SalesSeries): Change {
  const { values } = readSeries(series);
  const season = SEASON_STEPS[series.stepDays];
  const changes = values.subarray(season).map((value, step) => value - values[step]!).filter((change) => !Number.isNaN(change));
  if (changes.length === 0) return { mean: NaN, rootMeanSquare: NaN };
  return {
    mean: changes.reduce((sum, change) => sum + Math.abs(change), 0) / changes.length,
    rootMeanSquare: Math.sqrt(changes.reduce((sum, change) => sum + change * change, 0) / changes.length),
  };
}

function meanOfKnown(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
