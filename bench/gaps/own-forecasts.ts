import { createCleanedForecaster, type CleaningOptions } from '../../src/forecast/clean-series.ts';
import { createDailyForecaster } from '../../src/forecast/daily-demand.ts';
import { DAILY_BASELINES, DEMAND_BASELINES, type DemandForecaster } from '../../src/forecast/demand-baselines.ts';
import { backtestDemand, bootstrapInterval, type DemandScores } from '../../src/forecast/demand-evaluation.ts';
import type { SalesValues } from '../../src/forecast/demand-input.ts';
import type { DemandModel } from '../../src/forecast/demand.ts';
import { IMPUTATION_METHODS } from '../../src/forecast/gaps/imputers.ts';
import type { BenchTableCell } from '../harness.ts';
import { hideQuarter } from './imputation.ts';
import { meanOf, type GapsData } from './series.ts';

const METRICS = ['mase', 'pinball'] as const;

/** A quarter of all values hidden in runs of 3: the same forecasts with gaps left unknown and filled, outliers kept. */
export async function judgeOwnForecastsAfterGaps(data: GapsData, model: DemandModel): Promise<BenchTableCell[]> {
  const stepDays = data.name === 'daily' ? 1 : 7;
  const methods: Record<string, DemandForecaster> = stepDays === 7 ? { 'demand LSTM': model, '4-week mean': DEMAND_BASELINES['4-week mean']! } : { 'demand LSTM': createDailyForecaster(model), '28-day mean': DAILY_BASELINES['28-day mean']! };
  const imputations = IMPUTATION_METHODS.filter((name) => data.season === 1 ? !name.endsWith('-by-weekday') : name === 'mask' || name === 'nearest' || name.endsWith('-by-weekday'));
  const series = hideQuarter(data).map(toSales);
  const options = { horizon: data.horizon, windows: 6, step: 4 * data.season, season: data.season };
  const cells: BenchTableCell[] = [];
  const task = `${data.name}, a quarter hidden in runs of 3`;
  for (const [name, forecaster] of Object.entries(methods)) {
    const masked = await backtestDemand(createCleanedForecaster(forecaster, { stepDays, imputation: 'mask', action: 'keep' }), series, options);
    for (const imputation of imputations) {
      const scores = await backtestDemand(createCleanedForecaster(forecaster, { stepDays, imputation, action: 'keep' }), series, options);
      for (const metric of METRICS) {
        cells.push({ task, ranker: `${name}, ${imputation}`, metric, value: scores[metric], low: scores.ci[metric][0], high: scores.ci[metric][1], n: scores.items });
        if (imputation !== 'mask') cells.push(paired(task, `${name}, ${imputation} - ${name}, mask`, metric, scores, masked));
      }
    }
  }
  return cells;
}

function paired(task: string, ranker: string, metric: (typeof METRICS)[number], one: DemandScores, other: DemandScores): BenchTableCell {
  const differences = Array.from(one.perItem[metric], (value, row) => value - other.perItem[metric][row]!).filter((difference) => !Number.isNaN(difference));
  const [low, high] = bootstrapInterval(differences);
  return { task, ranker, metric, value: meanOf(differences), low, high, n: differences.length };
}

const toSales = (values: Float64Array): SalesValues => ({ values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)) });

/** The series as they are: what cleaning by the defaults changes in the forecasts of `shelfwise forecast`, item by item. */
export async function judgeOwnForecasts(data: GapsData, model: DemandModel): Promise<BenchTableCell[]> {
  const stepDays = data.name === 'daily' ? 1 : 7;
  const methods: Record<string, DemandForecaster> = { 'demand LSTM': stepDays === 7 ? model : createDailyForecaster(model), ...(stepDays === 7 ? DEMAND_BASELINES : DAILY_BASELINES) };
  const series = data.series.map(toSales);
  const options = { horizon: data.horizon, windows: 6, step: 4 * data.season, season: data.season };
  const cleanings: Record<string, CleaningOptions> = { winsorised: { stepDays }, deleted: { stepDays, action: 'delete' } };
  const cells: BenchTableCell[] = [];
  const task = `${data.name}, series as they are`;
  for (const [name, forecaster] of Object.entries(methods)) {
    const raw = await backtestDemand(forecaster, series, options);
    for (const metric of METRICS) cells.push({ task, ranker: name, metric, value: raw[metric], low: raw.ci[metric][0], high: raw.ci[metric][1], n: raw.items });
    for (const [label, cleaning] of Object.entries(cleanings)) {
      const cleaned = await backtestDemand(createCleanedForecaster(forecaster, cleaning), series, options);
      for (const metric of METRICS) {
        // Both are divided by the changes of the raw history, which the forecaster cleans for itself alone.
        cells.push(paired(task, `${name}, ${label} - ${name}`, metric, cleaned, raw));
      }
    }
  }
  return cells;
}
