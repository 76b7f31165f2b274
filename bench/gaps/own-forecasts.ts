import { createCleanedForecaster, type CleaningOptions } from '../../src/forecast/clean-series.ts';
import { createDailyForecaster } from '../../src/forecast/daily-demand.ts';
import { DAILY_BASELINES, DEMAND_BASELINES, type DemandForecaster } from '../../src/forecast/demand-baselines.ts';
import { backtestDemand, bootstrapInterval } from '../../src/forecast/demand-evaluation.ts';
import type { DemandModel } from '../../src/forecast/demand.ts';
import type { BenchTableCell } from '../harness.ts';
import { meanOf, type GapsData } from './series.ts';

const METRICS = ['mase', 'pinball'] as const;

/** The series as they are: what cleaning by the defaults changes in the forecasts of `shelfwise forecast`, item by item. */
export async function judgeOwnForecasts(data: GapsData, model: DemandModel): Promise<BenchTableCell[]> {
  const stepDays = data.name === 'daily' ? 1 : 7;
  const methods: Record<string, DemandForecaster> = { 'demand LSTM': stepDays === 7 ? model : createDailyForecaster(model), ...(stepDays === 7 ? DEMAND_BASELINES : DAILY_BASELINES) };
  const series = data.series.map((values) => ({ values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)) }));
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
        const differences = Array.from(cleaned.perItem[metric], (value, row) => value - raw.perItem[metric][row]!).filter((difference) => !Number.isNaN(difference));
        const [low, high] = bootstrapInterval(differences);
        cells.push({ task, ranker: `${name}, ${label} - ${name}`, metric, value: meanOf(differences), low, high, n: differences.length });
      }
    }
  }
  return cells;
}
