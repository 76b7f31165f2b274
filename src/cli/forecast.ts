import { writeFile } from 'node:fs/promises';
import { RecommenderError } from '../errors.ts';
import { createDailyForecaster } from '../forecast/daily-demand.ts';
import { DAILY_BASELINES, DEMAND_BASELINES } from '../forecast/demand-baselines.ts';
import type { DemandForecaster } from '../forecast/demand-baselines.ts';
import { backtestDemand, DEMAND_METRICS } from '../forecast/demand-evaluation.ts';
import type { DemandMetric, DemandScores } from '../forecast/demand-evaluation.ts';
import { DemandModel } from '../forecast/demand.ts';
import { parseSafetensors } from '../lib/safetensors.ts';
import { loadPack, packFile } from '../packs/load-pack.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { readFileBytes } from '../packs/read-file-bytes.ts';
import { RECOMMENDER_FILES } from '../rank/recommender-pack.ts';
import type { Forecast } from '../types.ts';
import { cleanForecasts, describeCleaning } from './clean-series.ts';
import type { CleaningFlags, SeriesCleaning } from './clean-series.ts';
import { createPlainDevice } from './device.ts';
import { packAddress } from './encoder.ts';
import { readSeriesFile } from './series.ts';
import type { SeriesFile } from './series.ts';

export interface ForecastOptions extends CleaningFlags {
  /** Folder of a recommender pack with a demand LSTM. */
  readonly pack: string;
  /** CSV or Parquet of `item,date,value`, daily or weekly. */
  readonly series: string;
  /** Steps of the series. */
  readonly horizon: number;
  /** Also forecasts the last steps that are known, beside the baselines. */
  readonly backtest?: boolean;
  /** Where the report is written as JSON. */
  readonly json?: string;
}

type MethodScores = Omit<DemandScores, 'perItem'>;

/** `shelfwise forecast --json`. */
export interface ForecastReport {
  readonly series: number;
  readonly stepDays: number;
  readonly horizon: number;
  /** What was changed in the histories before they were forecast; what they are compared with is as it was. */
  readonly cleaning: SeriesCleaning;
  /** Origins of the backtest, a horizon apart; 0 without one. */
  readonly windows: number;
  /** By method, ours is `shelfwise`; empty without a backtest. */
  readonly methods: Readonly<Record<string, MethodScores>>;
  readonly forecasts: readonly (Forecast & {
    readonly item: string;
    readonly dates: readonly string[];
    /** Point forecasts by method. */
    readonly baselines: Readonly<Record<string, readonly number[]>>;
  })[];
}

/** Origins of a backtest where the series are long enough. */
const MAX_WINDOWS = 3;

/** The shortest history that is asked for a forecast in a backtest, in weeks. */
const MIN_HISTORY_WEEKS = 8;

const OURS = 'shelfwise';

/**
 * `shelfwise forecast`: medians and 80 % intervals of the next steps of each series, and how all methods did on the last ones.
 * @throws RecommenderError `INVALID_DATA` for a file that is not as documented or too short for a backtest, `INVALID_OPTIONS`
 * for a horizon that is not a whole number from 1, `PACK_INVALID` or `PACK_UNAVAILABLE`.
 */
export async function runForecast(options: ForecastOptions, say: (line: string) => void = console.log): Promise<ForecastReport> {
  const { horizon } = options;
  if (!Number.isInteger(horizon) || horizon < 1) throw new RecommenderError('INVALID_OPTIONS', `--horizon is a whole number from 1, not ${horizon}.`);
  const file = await readSeriesFile(options.series);
  const device = await createPlainDevice();
  const model = DemandModel.load(await demandTensors(options.pack), device);
  const { methods, cleaning } = cleanForecasts(methodsFor(model, file.stepDays), file, options);
  const windows = options.backtest === true ? countWindows(file, horizon) : 0;
  const report: ForecastReport = {
    series: file.items.length,
    stepDays: file.stepDays,
    horizon,
    cleaning,
    windows,
    methods: windows > 0 ? await scoreMethods(methods, file, horizon, windows) : {},
    forecasts: await forecastAll(methods, file, horizon),
  };
  model.dispose();
  device.dispose();
  say(describeCleaning(cleaning));
  for (const line of describe(report)) say(line);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report)}\n`);
  return report;
}

function methodsFor(model: DemandModel, stepDays: 1 | 7): Map<string, DemandForecaster> {
  const ours = stepDays === 7 ? model : createDailyForecaster(model);
  return new Map([[OURS, ours], ...Object.entries(stepDays === 7 ? DEMAND_BASELINES : DAILY_BASELINES)]);
}

async function scoreMethods(methods: ReadonlyMap<string, DemandForecaster>, { series, stepDays }: SeriesFile, horizon: number, windows: number): Promise<Record<string, MethodScores>> {
  const scored: Record<string, MethodScores> = {};
  for (const [name, forecaster] of methods) {
    scored[name] = withoutItems(await backtestDemand(forecaster, series, { horizon, windows, season: stepDays === 1 ? 7 : 1 }));
  }
  return scored;
}

function withoutItems(scores: DemandScores): MethodScores {
  const means = Object.fromEntries(DEMAND_METRICS.map((metric) => [metric, scores[metric]])) as Record<DemandMetric, number>;
  return { ...means, ci: scores.ci, items: scores.items };
}

async function forecastAll(methods: ReadonlyMap<string, DemandForecaster>, { items, series, stepDays, lastDate }: SeriesFile, horizon: number): Promise<ForecastReport['forecasts']> {
  const forecasts = new Map<string, Forecast[]>();
  for (const [name, forecaster] of methods) forecasts.set(name, await forecaster.forecast(series, { horizon }));
  const dates = Array.from({ length: horizon }, (_, step) => new Date((lastDate + (step + 1) * stepDays * 86_400) * 1000).toISOString().slice(0, 10));
  const baselines = [...forecasts].filter(([name]) => name !== OURS);
  return items.map((item, row) => ({
    item,
    dates,
    ...forecasts.get(OURS)![row]!,
    baselines: Object.fromEntries(baselines.map(([name, all]) => [name, all[row]!.median])),
  }));
}

function countWindows({ series, stepDays }: SeriesFile, horizon: number): number {
  const longest = Math.max(...series.map(({ values }) => values.length));
  const windows = Math.floor((longest - (MIN_HISTORY_WEEKS * 7) / stepDays) / horizon);
  if (windows >= 1) return Math.min(MAX_WINDOWS, windows);
  throw new RecommenderError('INVALID_DATA', `A backtest needs ${MIN_HISTORY_WEEKS} weeks before the horizon; the longest series has ${longest} steps of ${stepDays} days.`);
}

async function demandTensors(path: string): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
  const tensors = parseSafetensors(packFile(await loadPack(packAddress(path), readFileBytes), RECOMMENDER_FILES.demand));
  return new Map(Array.from(tensors, ([name, { shape }]) => [name, { shape, values: floatTensor(tensors, name, shape) }]));
}

function* describe({ series, stepDays, horizon, windows, methods, forecasts }: ForecastReport): Generator<string> {
  const unit = stepDays === 7 ? 'weeks' : 'days';
  if (windows === 0) {
    for (const { item, dates, low, median, high } of forecasts) {
      for (const [step, date] of dates.entries()) yield `${item}\t${date}\t${low[step]!.toFixed(1)}\t${median[step]!.toFixed(1)}\t${high[step]!.toFixed(1)}`;
    }
    return;
  }
  yield `${series} series, the last ${windows} x ${horizon} ${unit}; in brackets 95 % bootstrap intervals over items`;
  for (const [name, scores] of Object.entries(methods)) {
    const figures = DEMAND_METRICS.map((metric) => `${metric} ${scores[metric].toFixed(3)} [${scores.ci[metric].map((bound) => bound.toFixed(3)).join(', ')}]`);
    yield `${name.padEnd(15)} ${figures.join('  ')}`;
  }
}
