import { cleanSeries, createCleanedForecaster } from '../forecast/clean-series.ts';
import type { CleaningOptions, CleaningReport } from '../forecast/clean-series.ts';
import type { DemandForecaster } from '../forecast/demand-baselines.ts';
import type { ImputationMethod } from '../forecast/gaps/imputers.ts';
import type { OutlierAction, OutlierMethod } from '../forecast/outliers.ts';
import type { SeriesFile } from './series.ts';

/** How `shelfwise forecast` is told to treat gaps and outliers. */
export interface CleaningFlags {
  readonly gaps?: ImputationMethod;
  readonly outliers?: OutlierAction;
  readonly detector?: OutlierMethod;
}

/** The report's account of it, with dates. */
export type SeriesCleaning = Omit<CleaningReport, 'marked'> & { readonly marked: readonly { readonly item: string; readonly dates: readonly string[] }[] };

/** Forecasters that clean what they are given, and what that changes in the whole file. */
export function cleanForecasts(
  methods: ReadonlyMap<string, DemandForecaster>,
  { items, series, stepDays, lastDate }: SeriesFile,
  { gaps, outliers, detector }: CleaningFlags,
): { readonly methods: Map<string, DemandForecaster>; readonly cleaning: SeriesCleaning } {
  const options: CleaningOptions = { stepDays, ...(gaps && { imputation: gaps }), ...(outliers && { action: outliers }), ...(detector && { outliers: detector }) };
  const { marked, ...report } = cleanSeries(series, options).report;
  const dateOf = (row: number, step: number): string => new Date((lastDate - (series[row]!.values.length - 1 - step) * stepDays * 86_400) * 1000).toISOString().slice(0, 10);
  const dated = marked.flatMap((steps, row) => (steps.length === 0 ? [] : [{ item: items[row]!, dates: steps.map((step) => dateOf(row, step)) }]));
  return { methods: new Map(Array.from(methods, ([name, forecaster]) => [name, createCleanedForecaster(forecaster, options)])), cleaning: { ...report, marked: dated } };
}

const DONE: Readonly<Record<OutlierAction, string>> = { delete: 'deleted', winsorise: 'winsorised', keep: 'kept' };

/** One line; # so that the rows below it are still read as a table. */
export function describeCleaning({ unknown, imputed, imputation, outliers, outlierMethod, action, marked }: SeriesCleaning): string {
  return `# ${unknown} values unknown, ${imputed} of them imputed (${imputation}); ${outliers} outliers in ${marked.length} series marked (${outlierMethod}) and ${DONE[action]}`;
}
