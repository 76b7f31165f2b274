import { createCleanedForecaster, type CleaningOptions } from '../../src/forecast/clean-series.ts';
import { createDailyForecaster } from '../../src/forecast/daily-demand.ts';
import { demandBaselines, type DemandForecaster, type SalesSeries, type StepDays } from '../../src/forecast/demand-baselines.ts';
import { bootstrapInterval, meanOverOrigins, scoreOrigin, summariseScores, type SeriesScores } from '../../src/forecast/demand-evaluation.ts';
import type { DemandModel } from '../../src/forecast/demand.ts';
import { IMPUTATION_METHODS } from '../../src/forecast/gaps/imputers.ts';
import type { BenchTableCell } from '../harness.ts';
import { hideQuarter } from './imputation.ts';
import { meanOf, type GapsData } from './series.ts';

const METRICS = ['mase', 'pinball'] as const;

/** A quarter of all values hidden in runs of 3: the same forecasts with gaps left unknown and filled, outliers kept. */
export async function judgeOwnForecastsAfterGaps(data: GapsData, model: DemandModel): Promise<BenchTableCell[]> {
  const stepDays = data.name === 'daily' ? 1 : 7;
  const mean = stepDays === 7 ? '4-week mean' : '28-day mean';
  const methods: Record<string, DemandForecaster> = { 'demand LSTM': stepDays === 7 ? model : createDailyForecaster(model), [mean]: demandBaselines(stepDays).get(mean)! };
  const imputations = IMPUTATION_METHODS.filter((name) => data.season === 1 ? !name.endsWith('-by-weekday') : name === 'mask' || name === 'nearest' || name.endsWith('-by-weekday'));
  const series = hideQuarter(data).map((values) => toSales(values, stepDays));
  const cells: BenchTableCell[] = [];
  const task = `${data.name}, a quarter hidden in runs of 3`;
  for (const [name, forecaster] of Object.entries(methods)) {
    const masked = await backtest(createCleanedForecaster(forecaster, { stepDays, imputation: 'mask', action: 'keep' }), series, data);
    for (const imputation of imputations) {
      const scores = await backtest(createCleanedForecaster(forecaster, { stepDays, imputation, action: 'keep' }), series, data);
      for (const metric of METRICS) {
        cells.push(cellOf(task, `${name}, ${imputation}`, metric, scores));
        if (imputation !== 'mask') cells.push(paired(task, `${name}, ${imputation} - ${name}, mask`, metric, scores, masked));
      }
    }
  }
  return cells;
}

/** Six origins, four seasons apart. */
async function backtest(forecaster: DemandForecaster, series: readonly SalesSeries[], { horizon, season }: GapsData): Promise<SeriesScores> {
  const origins: SeriesScores[] = [];
  for (let window = 0; window < 6; window++) origins.push(await scoreOrigin(forecaster, series, { horizon, stepsBack: horizon + window * 4 * season }));
  return meanOverOrigins(origins);
}

function cellOf(task: string, ranker: string, metric: (typeof METRICS)[number], scores: SeriesScores): BenchTableCell {
  const { [metric]: value, ci, items } = summariseScores(scores);
  return { task, ranker, metric, value, low: ci[metric][0], high: ci[metric][1], n: items };
}

function paired(task: string, ranker: string, metric: (typeof METRICS)[number], one: SeriesScores, other: SeriesScores): BenchTableCell {
  const differences = Array.from(one[metric], (value, row) => value - other[metric][row]!).filter((difference) => !Number.isNaN(difference));
  const [low, high] = bootstrapInterval(differences);
  return { task, ranker, metric, value: meanOf(differences), low, high, n: differences.length };
}

/** The simple methods and the LSTM look at no date. */
const toSales = (values: Float64Array, stepDays: StepDays): SalesSeries => ({ values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)), asOf: 0, stepDays });

/** The series as they are: what cleaning by the defaults changes in the forecasts of `shelfwise forecast`, item by item. */
export async function judgeOwnForecasts(data: GapsData, model: DemandModel): Promise<BenchTableCell[]> {
  const stepDays = data.name === 'daily' ? 1 : 7;
  const methods: Record<string, DemandForecaster> = { 'demand LSTM': stepDays === 7 ? model : createDailyForecaster(model), ...Object.fromEntries(demandBaselines(stepDays)) };
  const series = data.series.map((values) => toSales(values, stepDays));
  const cleanings: Record<string, CleaningOptions> = { winsorised: { stepDays }, deleted: { stepDays, action: 'delete' } };
  const cells: BenchTableCell[] = [];
  const task = `${data.name}, series as they are`;
  for (const [name, forecaster] of Object.entries(methods)) {
    const raw = await backtest(forecaster, series, data);
    for (const metric of METRICS) cells.push(cellOf(task, name, metric, raw));
    for (const [label, cleaning] of Object.entries(cleanings)) {
      const cleaned = await backtest(createCleanedForecaster(forecaster, cleaning), series, data);
      for (const metric of METRICS) {
        // Both are divided by the changes of the raw history, which the forecaster cleans for itself alone.
        cells.push(paired(task, `${name}, ${label} - ${name}`, metric, cleaned, raw));
      }
    }
  }
  return cells;
}
