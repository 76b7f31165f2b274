import { bootstrapMeans, columnMeans, percentileInterval, sumByCustomer } from './bootstrap-columns.ts';
import { coverage, diversity, gini, novelty, popularityBias } from './list-metrics.ts';
import { DEPTH, f1, judge, precision } from './metrics.ts';
import type { RankedList } from './ranked-list.ts';

/** How many first places precision, F1 and the metrics of whole lists look at. */
export const FIRST_PLACES = 10;

/** Means over queries, each with an interval. */
export const QUERY_FIGURES = ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20', 'precision', 'f1', 'auc', 'accuracy', 'diversity@10', 'novelty@10', 'popularityBias@10'] as const;
/** Of all lists together. Coverage and Gini have no interval: fewer different shoppers are shown fewer items, so that a bootstrap of them is biased. */
export const FIGURES = [...QUERY_FIGURES, 'coverage@10', 'gini@10', 'calibrationError'] as const;
export type Figure = (typeof FIGURES)[number];
export type QueryFigure = (typeof QUERY_FIGURES)[number];

/** Figures of which more is better and that judge the order: what rankers are compared by. */
export const COMPARED_FIGURES = ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20', 'precision', 'f1', 'auc', 'accuracy'] as const satisfies readonly QueryFigure[];

/** Bins of the calibration error. */
export const CALIBRATION_BINS = 15;

const BIN_COLUMN = QUERY_FIGURES.length;
const COLUMNS = BIN_COLUMN + CALIBRATION_BINS;

/** What the lists are judged against, besides their target. */
export interface ListSurroundings {
  readonly items: number;
  /** [items, dimensions], unit rows; of no dimensions where there are no texts, so that nothing is known of diversity. */
  readonly textVectors: Float32Array;
  readonly dimensions: number;
  /** [items] interactions before the test, and their sum. */
  readonly itemCounts: Float32Array;
  readonly interactions: number;
  /** [items] users who had the item before the test, and how many there were. */
  readonly itemUsers: Float32Array;
  readonly users: number;
}

/** One ranker's answers to all queries, as columns of typed arrays. */
export class RankerFigures {
  readonly name: string;
  readonly #surroundings: ListSurroundings;
  /** [queries, COLUMNS] */
  readonly #values: Float32Array;
  /** [queries, FIRST_PLACES] items, -1 behind the end of a list. */
  readonly #shown: Int32Array;

  constructor(name: string, queries: number, surroundings: ListSurroundings) {
    this.name = name;
    this.#surroundings = surroundings;
    this.#values = new Float32Array(queries * COLUMNS);
    this.#shown = new Int32Array(queries * FIRST_PLACES).fill(-1);
  }

  /** Judges the list of one query; `first` is at least DEPTH long where there is as much. */
  add(query: number, { first, auc, confidence }: RankedList, target: number): void {
    const { textVectors, dimensions, itemCounts, interactions, itemUsers, users } = this.#surroundings;
    const relevant = new Set([target]);
    const isFirst = first[0] === target;
    const figures: Readonly<Record<QueryFigure, number>> = {
      ...judge(first.subarray(0, DEPTH), relevant),
      precision: precision(first, relevant, FIRST_PLACES),
      f1: f1(first, relevant, FIRST_PLACES),
      auc,
      accuracy: isFirst ? 1 : 0,
      'diversity@10': dimensions === 0 ? NaN : diversity(first, textVectors, dimensions, FIRST_PLACES),
      'novelty@10': novelty(first, itemUsers, users, FIRST_PLACES),
      'popularityBias@10': popularityBias(first, itemCounts, interactions, FIRST_PLACES),
    };
    const row = this.#values.subarray(query * COLUMNS, (query + 1) * COLUMNS);
    QUERY_FIGURES.forEach((name, column) => (row[column] = figures[name]));
    // What expectedCalibrationError() adds up, kept by query so that customers can be drawn again.
    const bin = Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS));
    row[BIN_COLUMN + bin] = confidence - (isFirst ? 1 : 0);
    this.#shown.set(first.subarray(0, FIRST_PLACES), query * FIRST_PLACES);
  }

  /** Figures and bootstrap replicates of some queries. */
  summarise(queries: Int32Array, customer: ArrayLike<number>, options: { readonly resamples: number; readonly seed: number }): RankerSummary {
    const chosen = new Float32Array(queries.length * COLUMNS);
    const exposure = new Uint32Array(this.#surroundings.items);
    queries.forEach((query, at) => {
      chosen.set(this.#values.subarray(query * COLUMNS, (query + 1) * COLUMNS), at * COLUMNS);
      for (const item of this.#shown.subarray(query * FIRST_PLACES, (query + 1) * FIRST_PLACES)) if (item >= 0) exposure[item]! += 1;
    });
    const sums = sumByCustomer(chosen, COLUMNS, customer);
    const means = columnMeans(sums);
    const replicates = bootstrapMeans(sums, options);
    const replicatesOf = new Map<Figure, Float64Array>();
    const columnOf = (column: (row: Float64Array) => number): Float64Array =>
      Float64Array.from({ length: options.resamples }, (_, resample) => column(replicates.subarray(resample * COLUMNS, (resample + 1) * COLUMNS)));
    QUERY_FIGURES.forEach((name, column) => replicatesOf.set(name, columnOf((row) => row[column]!)));
    replicatesOf.set('calibrationError', columnOf(calibrationError));
    const values = new Map<Figure, number>(QUERY_FIGURES.map((name, column) => [name, means[column]!]));
    values.set('coverage@10', coverage(exposure));
    values.set('gini@10', gini(exposure));
    values.set('calibrationError', calibrationError(means));
    return { name: this.name, values, replicates: replicatesOf };
  }
}

/** |mean confidence - share that came true| over bins: their sums are the last columns of a row of means. */
function calibrationError(means: Float64Array): number {
  let error = 0;
  for (let bin = 0; bin < CALIBRATION_BINS; bin++) error += Math.abs(means[BIN_COLUMN + bin]!);
  return error;
}

/** One ranker's figures over a set of queries. */
export interface RankerSummary {
  readonly name: string;
  readonly values: ReadonlyMap<Figure, number>;
  /** Bootstrap replicates, [resamples] each; none of coverage and Gini. */
  readonly replicates: ReadonlyMap<Figure, Float64Array>;
}

/** Ours minus another, with its interval: replicates of one seed draw the same customers, so they are compared in pairs. */
export function pairedDifference(ours: RankerSummary, other: RankerSummary, figure: QueryFigure): { readonly value: number; readonly low: number; readonly high: number } {
  const [mine, theirs] = [ours.replicates.get(figure)!, other.replicates.get(figure)!];
  return { value: ours.values.get(figure)! - other.values.get(figure)!, ...percentileInterval(mine.map((value, at) => value - theirs[at]!)) };
}
