import type { DemandForecaster, StepDays } from './demand-baselines.ts';
import { readSeries } from './demand-input.ts';
import type { SalesValues } from './demand-input.ts';
import { DEFAULT_IMPUTATION, imputeGaps } from './gaps/imputers.ts';
import type { ImputationMethod } from './gaps/imputers.ts';
import { DEFAULT_OUTLIER_ACTION, DEFAULT_OUTLIER_METHOD, OUTLIER_DETECTORS, outlierSteps, treatOutliers } from './outliers.ts';
import type { OutlierAction, OutlierMethod } from './outliers.ts';

export interface CleaningOptions {
  /** 1 for days, whose season is a week; 7 for weeks. */
  readonly stepDays: StepDays;
  readonly imputation?: ImputationMethod;
  readonly outliers?: OutlierMethod;
  readonly action?: OutlierAction;
}

/** What was changed in a set of series, for those who own the data. */
export interface CleaningReport {
  /** Steps after an item's first value that had none; `imputed` of them were filled, the others lie in longer gaps. */
  readonly unknown: number;
  /** Outliers that were deleted and filled are not among them. */
  readonly imputed: number;
  readonly imputation: ImputationMethod;
  readonly outliers: number;
  readonly outlierMethod: OutlierMethod;
  readonly action: OutlierAction;
  /** Marked steps of each series, oldest first, 0 its first; series without any have an empty list. */
  readonly marked: readonly (readonly number[])[];
}

/**
 * Series as forecasts are made from: outliers treated first, so that gaps are not filled from them, then gaps filled; never below 0. Pure. Every
 * series ends at the same step, and nothing after it is read.
 */
export function cleanSeries(
  series: readonly SalesValues[],
  { stepDays, imputation = DEFAULT_IMPUTATION[stepDays], outliers = DEFAULT_OUTLIER_METHOD, action = DEFAULT_OUTLIER_ACTION }: CleaningOptions,
): { readonly series: SalesValues[]; readonly report: CleaningReport } {
  const season = stepDays === 1 ? 7 : 1;
  const raw = series.map((one) => readSeries(one).values);
  const fences = raw.map((values) => OUTLIER_DETECTORS[outliers](values, { season }));
  const treated = raw.map((values, row) => treatOutliers(values, fences[row]!, action));
  const filled = imputeGaps(treated, imputation, { season });
  const unknown = raw.map(unknownSteps);
  const marked = raw.map((values, row) => outlierSteps(values, fences[row]!));
  return {
    series: filled.map((values) => ({ values: Array.from(values, (value) => (Number.isNaN(value) ? null : Math.max(0, value))) })),
    report: {
      unknown: count(unknown),
      imputed: count(unknown.map((steps, row) => steps.filter((step) => !Number.isNaN(filled[row]![step]!)))),
      imputation,
      outliers: count(marked),
      outlierMethod: outliers,
      action,
      marked,
    },
  };
}

/** A forecaster that reads cleaned histories. Each is cleaned as it is given, so that a backtest's origins never see what came after them. */
export function createCleanedForecaster(forecaster: DemandForecaster, options: CleaningOptions): DemandForecaster {
  return {
    forecast: (series, steps) => {
      const { series: cleaned } = cleanSeries(series, options);
      return forecaster.forecast(series.map(({ asOf, stepDays }, row) => ({ ...cleaned[row]!, asOf, stepDays })), steps);
    },
  };
}

function unknownSteps(values: Float64Array): number[] {
  const first = values.findIndex((value) => !Number.isNaN(value));
  return Array.from(values.keys()).filter((step) => first >= 0 && step > first && Number.isNaN(values[step]!));
}

const count = (lists: readonly (readonly number[])[]): number => lists.reduce((sum, { length }) => sum + length, 0);
