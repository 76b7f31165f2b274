import { DEFAULT_IMPUTATION, imputeGaps } from '../../src/forecast/gaps/imputers.ts';
import { DEFAULT_OUTLIER_ACTION, DEFAULT_OUTLIER_METHOD, OUTLIER_DETECTORS, outlierSteps, treatOutliers, type OutlierAction, type OutlierDetector } from '../../src/forecast/outliers.ts';
import { createRandom } from '../../src/lib/random.ts';
import type { BenchTableCell } from '../harness.ts';
import { cell, withPaired } from './imputation.ts';
import { FORECASTS, meanOf, originsOf, type GapsData } from './series.ts';

/** Planted in the newest steps of a history (8 weeks of days, 26 weeks). */
const PLANTED = 3;

/** A zero is an outlier only where this share of the same weekdays has sales. */
const REGULAR = 0.9;

const ZEROS = 'zeros where sales are regular';

/** What an outlier is worth, by what it was; null leaves a history as it is. */
const PLANTS: Readonly<Record<string, ((value: number) => number) | null>> = {
  '×5': (value) => value * 5,
  '×10': (value) => value * 10,
  [ZEROS]: () => 0,
  'nothing planted': null,
};

const DEFAULT = `${DEFAULT_OUTLIER_METHOD}, ${DEFAULT_OUTLIER_ACTION}`;

interface Planted {
  readonly row: number;
  readonly history: Float64Array;
  /** Steps; empty where nothing was planted. */
  readonly steps: readonly number[];
  /** The recent steps from here on are judged. */
  readonly from: number;
  /** Mean of what came next. */
  readonly next: number;
}

/** Precision, recall and F1 of every detector, pooled over series, with intervals over series. */
export function judgeDetectors(data: GapsData): BenchTableCell[] {
  return Object.keys(PLANTS).flatMap((plant) => {
    const planted = plantAll(data, plant);
    return Object.entries(OUTLIER_DETECTORS).flatMap(([name, detect]) => {
      const counts = data.series.map(() => ({ hits: 0, marked: 0, planted: 0, steps: 0 }));
      for (const { row, history, steps, from } of planted) {
        const marked = outlierSteps(history, detect(history, data)).filter((step) => step >= from);
        counts[row]!.hits += marked.filter((step) => steps.includes(step)).length;
        counts[row]!.marked += marked.length;
        counts[row]!.planted += steps.length;
        counts[row]!.steps += history.length - from;
      }
      const ratios: Record<string, (sums: Counts) => number> =
        PLANTS[plant] === null
          ? { 'marked of all': ({ marked, steps }) => marked / steps }
          : {
              precision: ({ hits, marked }) => (marked === 0 ? 0 : hits / marked),
              recall: ({ hits, planted: all }) => hits / all,
              F1: ({ hits, marked, planted: all }) => (2 * hits) / (marked + all),
            };
      return Object.entries(ratios).map(([metric, ratio]) => ({ task: `${data.name}, planted outliers found`, ranker: name, metric: `${plant}: ${metric}`, ...pooled(counts, ratio) }));
    });
  });
}

/** Relative error of the forecasts, by what was planted and what was done with what was marked. Deleted values are imputed by the default. */
export function judgeTreatments(data: GapsData): BenchTableCell[] {
  const task = `${data.name}, error of the forecast after outliers`;
  const scales = data.series.map((values) => meanOf(values.filter((value) => !Number.isNaN(value))));
  const methods = Object.values(FORECASTS[data.name]);
  const treatments: [string, OutlierDetector | null, OutlierAction][] = [
    ['keep', null, 'keep'],
    ...Object.entries(OUTLIER_DETECTORS).flatMap(([name, detect]) => (['delete', 'winsorise'] as const).map((action): [string, OutlierDetector, OutlierAction] => [`${name}, ${action}`, detect, action])),
  ];
  const cells: BenchTableCell[] = [];
  const byPlant = new Map<string, number[]>();
  const total = new Map(treatments.map(([name]) => [name, data.series.map(() => 0)] as const));
  const plants = Object.keys(PLANTS);
  for (const plant of plants) {
    const planted = plantAll(data, plant);
    for (const [name, detect, action] of treatments) {
      const own = data.series.map(() => [] as number[]);
      for (const { row, history, next } of planted) {
        const treated = detect === null ? history : fill(treatOutliers(history, detect(history, data), action), data);
        own[row]!.push(...methods.map((forecast) => Math.abs(forecast(treated) - next) / scales[row]!));
      }
      const means = own.map(meanOf);
      // A series without regular sales has no zeros to plant; it counts with its other figures.
      means.forEach((error, row) => (total.get(name)![row]! += (Number.isNaN(error) ? 0 : error) / plants.length));
      cells.push(cell(task, name, plant, means));
      byPlant.set(name, means);
    }
    cells.push(cell(task, `${DEFAULT} - keep`, plant, byPlant.get(DEFAULT)!.map((error, row) => error - byPlant.get('keep')![row]!)));
  }
  return [...cells, ...withPaired(task, 'mean of all', total)];
}

function fill(history: Float64Array, { name, season }: GapsData): Float64Array {
  const [filled] = imputeGaps([history], DEFAULT_IMPUTATION[name === 'daily' ? 1 : 7], { season });
  return filled!;
}

function plantAll(data: GapsData, plant: string): Planted[] {
  const random = createRandom(21);
  const change = PLANTS[plant] ?? null;
  return data.series.flatMap((values, row) =>
    originsOf(values, data).flatMap(({ history, next }) => {
      const from = history.length - data.recent;
      const eligible = Array.from(history.keys()).filter((step) => step >= from && history[step]! > 0 && (plant !== ZEROS || isRegular(history, step, data.season)));
      if (eligible.length < PLANTED) return [];
      const planted = history.slice();
      const steps = change === null ? [] : random.shuffle(eligible).slice(0, PLANTED);
      for (const step of steps) planted[step] = change?.(planted[step]!) ?? NaN;
      return [{ row, history: planted, steps, from, next: meanOf(next) }];
    }),
  );
}

function isRegular(history: Float64Array, step: number, season: number): boolean {
  const same = history.filter((value, at) => at % season === step % season && !Number.isNaN(value));
  return same.filter((value) => value > 0).length >= REGULAR * same.length;
}

interface Counts {
  hits: number;
  marked: number;
  planted: number;
  steps: number;
}

const RESAMPLES = 1_000;

/** A ratio of sums, with its 95 % percentile bootstrap interval over series (Efron 1979). */
function pooled(counts: readonly Counts[], ratio: (sums: Counts) => number): { value: number; low: number; high: number; n: number } {
  const used = counts.filter(({ steps }) => steps > 0);
  const random = createRandom(1);
  const sum = (drawn: readonly Counts[]): Counts => drawn.reduce((a, b) => ({ hits: a.hits + b.hits, marked: a.marked + b.marked, planted: a.planted + b.planted, steps: a.steps + b.steps }));
  const replicates = Array.from({ length: RESAMPLES }, () => ratio(sum(used.map(() => used[random.integer(used.length)]!)))).sort((a, b) => a - b);
  return { value: ratio(sum(used)), low: replicates[Math.floor(0.025 * RESAMPLES)]!, high: replicates[Math.floor(0.975 * RESAMPLES)]!, n: used.length };
}
