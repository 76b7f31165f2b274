import { bootstrapInterval } from '../../src/forecast/demand-evaluation.ts';
import type { Imputer } from '../../src/forecast/gaps/imputer.ts';
import { IMPUTERS } from '../../src/forecast/gaps/imputers.ts';
import { createRandom, type Random } from '../../src/lib/random.ts';
import type { BenchTableCell } from '../harness.ts';
import { FORECASTS, meanOf, originsOf, seasonalChange, type GapsData } from './series.ts';

/** Of the known values, how many are hidden. */
const HIDDEN = 0.1;

/** Before a forecast, of the recent ones. */
const HIDDEN_RECENT = 0.25;

type Imputed = Readonly<Record<string, Imputer>>;

/** Those that fill, and one to compare them with. */
function fillers({ season }: GapsData): Imputed {
  const own: [string, Imputer][] = Object.entries(IMPUTERS).filter(([name]) => name !== 'mask' && (season > 1 || !name.endsWith('-by-weekday')));
  const mean: Imputer = (values) => values.map((value) => (Number.isNaN(value) ? meanOf(values.filter((one) => !Number.isNaN(one))) : value));
  return { ...Object.fromEntries(own), 'mean (reference)': mean };
}

/** One experiment: series with hidden values, and what was hidden. */
interface Hidden {
  readonly shown: readonly Float64Array[];
  /** Per series. */
  readonly steps: readonly (readonly number[])[];
}

/** Scaled MAE of every imputer by how values were hidden, per series: [pattern][imputer][series]. */
export function judgeImputers(data: GapsData): BenchTableCell[] {
  const imputers = fillers(data);
  const patterns: Record<string, readonly Hidden[]> = {
    '1 step': [hideRuns(data, 1, 1), hideRuns(data, 1, 2)],
    'runs of 3': [hideRuns(data, 3, 3), hideRuns(data, 3, 4)],
    'runs of 7': [hideRuns(data, 7, 5), hideRuns(data, 7, 6)],
    'runs of 3 in all series at once': [hideEverywhere(data, 3, 7), hideEverywhere(data, 3, 8)],
    'the last 7 before the origin': [0, 1, 2, 3].flatMap((k) => [0, 1].map((half) => hideLast(data, 7, k * 4 * data.season, half))),
  };
  const scales = data.series.map((values) => seasonalChange(values, data.season));
  const cells: BenchTableCell[] = [];
  const errors = new Map(Object.keys(imputers).map((name) => [name, data.series.map(() => 0)] as const));
  for (const [metric, experiments] of Object.entries(patterns)) {
    for (const [name, impute] of Object.entries(imputers)) {
      const own = data.series.map(() => [] as number[]);
      for (const hidden of experiments) {
        hidden.shown.forEach((values, row) => {
          const filled = impute(values, { season: data.season, all: hidden.shown });
          for (const step of hidden.steps[row]!) own[row]!.push(Math.abs(Math.max(0, filled[step]!) - data.series[row]![step]!) / scales[row]!);
        });
      }
      const means = own.map(meanOf);
      means.forEach((error, row) => (errors.get(name)![row]! += error / Object.keys(patterns).length));
      cells.push(cell(`${data.name}, scaled MAE`, name, metric, means));
    }
  }
  return [...cells, ...withPaired(`${data.name}, scaled MAE`, 'mean of all', errors)];
}

/** Relative error of forecasts after a quarter of the recent values were hidden in runs of 3: left unknown, or filled. */
export function judgeForecasts(data: GapsData): BenchTableCell[] {
  const imputers: Imputed = { mask: IMPUTERS.mask, ...fillers(data) };
  const { nothing, shown, scales, nexts } = hideRecent(data);
  const task = `${data.name}, error of the forecast after gaps`;
  const cells: BenchTableCell[] = [];
  const total = new Map<string, number[]>();
  const byName = new Map<string, readonly (readonly Float64Array[])[]>([['nothing hidden', nothing]]);
  for (const [name, impute] of Object.entries(imputers)) {
    byName.set(name, shown.map((histories) => histories.map((history) => clampAtZero(impute(history, { season: data.season, all: histories })))));
  }
  const methods = Object.entries(FORECASTS[data.name]);
  for (const [name, filled] of byName) {
    for (const [method, forecast] of methods) {
      const own = data.series.map(() => [] as number[]);
      filled.forEach((histories, k) => histories.forEach((history, row) => {
        const next = nexts[k]![row];
        if (next !== undefined && next !== null) own[row]!.push(Math.abs(forecast(history) - next) / scales[row]!);
      }));
      const means = own.map(meanOf);
      cells.push(cell(task, name, method, means));
      total.set(name, (total.get(name) ?? means.map(() => 0)).map((sum, row) => sum + means[row]! / methods.length));
    }
  }
  const { 'nothing hidden': whole, ...others } = Object.fromEntries(total);
  return [...cells, cell(task, 'nothing hidden', 'mean of both', whole!), ...withPaired(task, 'mean of both', new Map(Object.entries(others)))];
}

/** By origin, then series: histories, their recent values hidden, and the mean of what came next (null where the history is too short). */
function hideRecent(data: GapsData): { nothing: Float64Array[][]; shown: Float64Array[][]; scales: number[]; nexts: (number | null)[][] } {
  const random = createRandom(11);
  const origins = data.series.map((values) => originsOf(values, data));
  const count = Math.max(...origins.map((own) => own.length));
  const at = Array.from({ length: count }, (_, k) => k);
  const end = (k: number): number => data.series[0]!.length - data.horizon - k * 4 * data.season;
  const nothing = at.map((k) => data.series.map((values) => values.slice(0, end(k))));
  const shown = nothing.map((histories) => histories.map((history) => {
    const from = history.length - data.recent;
    const steps = drawRuns(history, 3, HIDDEN_RECENT, random, from);
    return withoutSteps(history, steps);
  }));
  const nexts = at.map((k) => origins.map((own) => (own[k] ? meanOf(own[k].next) : null)));
  return { nothing, shown, scales: data.series.map((values) => meanOf(values.filter((value) => !Number.isNaN(value)))), nexts };
}

/** All series with a quarter of their values unknown. */
export function hideQuarter({ series }: GapsData): Float64Array[] {
  const random = createRandom(31);
  return series.map((values) => withoutSteps(values, drawRuns(values, 3, 0.25, random)));
}

function hideRuns({ series }: GapsData, length: number, seed: number): Hidden {
  const random = createRandom(seed);
  const steps = series.map((values) => drawRuns(values, length, HIDDEN, random));
  return { shown: series.map((values, row) => withoutSteps(values, steps[row]!)), steps };
}

/** As when the shop's own log has a hole. */
function hideEverywhere({ series }: GapsData, length: number, seed: number): Hidden {
  const drawn = drawRuns(new Float64Array(series[0]!.length), length, HIDDEN, createRandom(seed));
  const steps = series.map((values) => drawn.filter((step) => step > 0 && !Number.isNaN(values[step]!) && values.subarray(0, step).some((value) => !Number.isNaN(value))));
  const own = steps.map((all, row) => all.filter((step) => step > series[row]!.findIndex((value) => !Number.isNaN(value))));
  return { shown: series.map((values, row) => withoutSteps(values, own[row]!)), steps: own };
}

/** In every second series, so that neighbours are known. */
function hideLast({ series }: GapsData, length: number, earlier: number, half: number): Hidden {
  const cut = series.map((values) => values.slice(0, values.length - earlier));
  const steps = cut.map((values, row) => row % 2 === half ? [] : Array.from({ length }, (_, k) => values.length - length + k));
  return { shown: cut.map((values, row) => withoutSteps(values, steps[row]!)), steps };
}

/** Steps of runs that neither touch nor hold the first known value, as many as `share` of the known ones from `from` on. */
function drawRuns(values: Float64Array, length: number, share: number, random: Random, from = 0): number[] {
  const first = Math.max(from, values.findIndex((value) => !Number.isNaN(value)) + 1);
  const room = values.length - first;
  const taken = new Uint8Array(values.length + 1);
  const runs = Math.max(1, Math.round((share * room) / length));
  const steps: number[] = [];
  for (let run = 0, tries = 0; run < runs && tries < 1_000; tries++) {
    const start = first + random.integer(room - length + 1);
    if (taken.subarray(Math.max(0, start - 1), start + length + 1).includes(1)) continue;
    taken.fill(1, start, start + length);
    for (let at = start; at < start + length; at++) steps.push(at);
    run += 1;
  }
  return steps;
}

function withoutSteps(values: Float64Array, steps: readonly number[]): Float64Array {
  const shown = values.slice();
  for (const step of steps) shown[step] = NaN;
  return shown;
}

const clampAtZero = (values: Float64Array): Float64Array => values.map((value) => (value < 0 ? 0 : value));

export function cell(task: string, ranker: string, metric: string, values: readonly number[]): BenchTableCell {
  const known = values.filter((value) => !Number.isNaN(value));
  const [low, high] = bootstrapInterval(known);
  return { task, ranker, metric, value: meanOf(known), low, high, n: known.length };
}

/** Figures over all columns, and each one's paired difference to the best, series by series. */
export function withPaired(task: string, metric: string, errors: ReadonlyMap<string, readonly number[]>): BenchTableCell[] {
  const cells = [...errors].map(([name, values]) => cell(task, name, metric, values));
  const best = cells.reduce((a, b) => (b.value < a.value ? b : a)).ranker;
  const paired = [...errors].filter(([name]) => name !== best).map(([name, values]) => cell(task, `${name} - ${best}`, metric, values.map((value, row) => value - errors.get(best)![row]!)));
  return [...cells, ...paired];
}
