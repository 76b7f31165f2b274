import { writeFile } from 'node:fs/promises';
import { RecommenderError } from '../errors.ts';
import { createDailyForecaster } from '../forecast/daily-demand.ts';
import { backtestDemand, demandMethods, forecastGated, MIN_HISTORY_DAYS, originsWithin, OURS } from '../forecast/demand-backtest.ts';
import type { DemandBacktest } from '../forecast/demand-backtest.ts';
import { SEASON_STEPS } from '../forecast/demand-baselines.ts';
import type { DemandForecaster, StepDays } from '../forecast/demand-baselines.ts';
import { DEMAND_METRICS, summariseScores } from '../forecast/demand-evaluation.ts';
import type { DemandScores } from '../forecast/demand-evaluation.ts';
import type { DemandGate } from '../forecast/demand-gate.ts';
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

/** `shelfwise forecast --json`. */
export interface ForecastReport {
  readonly series: number;
  readonly stepDays: number;
  readonly horizon: number;
  /** What was changed in the histories before they were forecast; what they are compared with is as it was. */
  readonly cleaning: SeriesCleaning;
  /** Origins of the backtest, a horizon apart; 0 without one. */
  readonly windows: number;
  /** Steps of a season: scaled errors are divided by the error of the seasonal naive forecast before the origin. */
  readonly season: number;
  /** By method, ours is `shelfwise`; empty without a backtest. */
  readonly methods: Readonly<Record<string, DemandScores>>;
  readonly gate: {
    /** Past origins, a horizon apart, on which it was judged whether our forecast gains on the simple methods; 0 where the series are too short. */
    readonly origins: number;
    /** Items that a simple method answers, because ours shows no gain. */
    readonly off: readonly string[];
    /** The methods that give the median and interval, and the mean, of these items. */
    readonly fallback: DemandGate['fallback'];
    /** At each origin of the backtest, the newest first: how many series were answered so. */
    readonly offInBacktest: readonly number[];
  };
  readonly forecasts: readonly (Forecast & {
    readonly item: string;
    readonly dates: readonly string[];
    /** Who answers: ours, or a simple method, because ours is off for this item. */
    readonly by: 'shelfwise' | 'baseline';
    /** Point forecasts by method. */
    readonly baselines: Readonly<Record<string, readonly number[]>>;
  })[];
}

/** Origins of a backtest where the series are long enough. */
const MAX_WINDOWS = 3;

/** Items without our forecast that are named on the screen; the JSON names all. */
const ITEMS_SHOWN = 10;

/**
 * `shelfwise forecast`: means, medians and 80 % intervals of the next steps of each series, and how all methods did on the last ones.
 * @throws RecommenderError `INVALID_DATA` for a file that is not as documented or too short for a backtest, `INVALID_OPTIONS`
 * for a horizon that is not a whole number from 1, `PACK_INVALID` or `PACK_UNAVAILABLE`.
 */
export async function runForecast(options: ForecastOptions, say: (line: string) => void = console.log): Promise<ForecastReport> {
  const { horizon } = options;
  if (!Number.isInteger(horizon) || horizon < 1) throw new RecommenderError('INVALID_OPTIONS', `--horizon is a whole number from 1, not ${horizon}.`);
  const file = await readSeriesFile(options.series);
  const windows = options.backtest === true ? countWindows(file, horizon) : 0;
  const device = await createPlainDevice();
  const model = DemandModel.load(await demandTensors(options.pack), device);
  const { methods, cleaning } = cleanForecasts(demandMethods(forecasterFor(model, file.stepDays), file.stepDays), file, options);
  const backtest = await backtestDemand(methods, file.series, { horizon, windows });
  const report: ForecastReport = {
    series: file.items.length,
    stepDays: file.stepDays,
    horizon,
    cleaning,
    windows,
    season: SEASON_STEPS[file.stepDays],
    methods: windows > 0 ? Object.fromEntries(Array.from(backtest.methods, ([name, scores]) => [name, summariseScores(scores)])) : {},
    gate: describeGate(backtest, file.items),
    forecasts: await forecastAll(methods, backtest.gate, file, horizon),
  };
  model.dispose();
  device.dispose();
  say(describeCleaning(cleaning));
  for (const line of describe(report)) say(line);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report)}\n`);
  return report;
}

function forecasterFor(model: DemandModel, stepDays: StepDays): DemandForecaster {
  return stepDays === 7 ? model : createDailyForecaster(model);
}

function describeGate({ gate, gates }: DemandBacktest, items: readonly string[]): ForecastReport['gate'] {
  const countOff = ({ on }: DemandGate): number => on.filter((open) => !open).length;
  return { origins: gate.origins, off: items.filter((_, row) => !gate.on[row]!), fallback: gate.fallback, offInBacktest: gates.map(countOff) };
}

async function forecastAll(methods: ReadonlyMap<string, DemandForecaster>, gate: DemandGate, { items, series, stepDays, lastDate }: SeriesFile, horizon: number): Promise<ForecastReport['forecasts']> {
  const forecasts = await forecastGated(methods, gate, series, horizon);
  const dates = Array.from({ length: horizon }, (_, step) => new Date((lastDate + (step + 1) * stepDays * 86_400) * 1000).toISOString().slice(0, 10));
  const baselines = [...forecasts].filter(([name]) => name !== OURS);
  return items.map((item, row) => ({
    item,
    dates,
    by: gate.on[row]! ? 'shelfwise' : 'baseline',
    ...forecasts.get(OURS)![row]!,
    baselines: Object.fromEntries(baselines.map(([name, all]) => [name, all[row]!.median])),
  }));
}

function countWindows({ series, stepDays }: SeriesFile, horizon: number): number {
  const windows = originsWithin(series, horizon);
  if (windows >= 1) return Math.min(MAX_WINDOWS, windows);
  const longest = Math.max(...series.map(({ values }) => values.length));
  throw new RecommenderError('INVALID_DATA', `A backtest needs ${MIN_HISTORY_DAYS} days before the horizon; the longest series has ${longest} steps of ${stepDays} days.`);
}

async function demandTensors(path: string): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
  const tensors = parseSafetensors(packFile(await loadPack(packAddress(path), readFileBytes), RECOMMENDER_FILES.demand));
  return new Map(Array.from(tensors, ([name, { shape }]) => [name, { shape, values: floatTensor(tensors, name, shape) }]));
}

function* describe(report: ForecastReport): Generator<string> {
  yield* report.windows > 0 ? describeMethods(report) : describeForecasts(report);
  for (const line of describeOff(report)) yield `# ${line}`;
}

function* describeForecasts({ forecasts }: ForecastReport): Generator<string> {
  yield ['item', 'date', 'low', 'median', 'high', 'mean'].join('\t');
  for (const { item, dates, low, median, high, mean } of forecasts) {
    for (const [step, date] of dates.entries()) yield [item, date, ...[low, median, high, mean].map((values) => values[step]!.toFixed(1))].join('\t');
  }
}

function* describeMethods({ series, stepDays, horizon, windows, season, methods }: ForecastReport): Generator<string> {
  const unit = stepDays === 7 ? 'weeks' : 'days';
  yield `${series} series, the last ${windows} x ${horizon} ${unit}; in brackets 95 % bootstrap intervals over items.`;
  yield `MASE and sMAPE of the median, RMSSE and bias of the mean; scale of MASE, RMSSE and bias: seasonal naive, ${season} ${unit}, before each origin.`;
  const rows = Object.entries(methods).map(([name, scores]) => [name, ...DEMAND_METRICS.map((metric) => `${scores[metric].toFixed(3)} [${scores.ci[metric].map((bound) => bound.toFixed(3)).join(', ')}]`)]);
  const table = [['method', ...DEMAND_METRICS], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) yield row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd();
}

function* describeOff({ series, gate, windows }: ForecastReport): Generator<string> {
  const { origins, off, fallback, offInBacktest } = gate;
  if (fallback === null) {
    yield 'The series are too short to judge whether our forecast gains on the simple methods: it answers all of them.';
    return;
  }
  if (windows > 0) yield `In the backtest our forecast was off for ${offInBacktest.join(', ')} of ${series} series (newest origin first).`;
  if (off.length === 0) {
    yield `Our forecast is on for all ${series} series: it gains on ${fallback.median} and ${fallback.mean} on the last ${origins} origins.`;
    return;
  }
  const names = `${off.slice(0, ITEMS_SHOWN).join(', ')}${off.length > ITEMS_SHOWN ? ', … (all with --json)' : ''}`;
  yield `Our forecast is off for ${off.length} of ${series} series without a gain on the last ${origins} origins; median and interval of ${fallback.median}, mean of ${fallback.mean} answer: ${names}`;
}
