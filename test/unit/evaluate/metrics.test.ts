import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { coverage, countExposure, diversity, gini, novelty, popularityBias } from '../../../src/evaluate/list-metrics.ts';
import { f1, hitRate, judge, ndcg, precision, recall, reciprocalRank } from '../../../src/evaluate/metrics.ts';
import { accuracy, auc, expectedCalibrationError } from '../../../src/evaluate/score-metrics.ts';

interface Reference {
  readonly ranked: readonly number[][];
  readonly relevant: readonly number[][];
  readonly k: number;
  readonly items: number;
  readonly vectors: readonly number[][];
  readonly dimensions: number;
  readonly history: readonly (readonly [user: number, item: number])[];
  readonly historyUsers: number;
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
  readonly outcomes: readonly number[];
  readonly bins: number;
  readonly predicted: readonly number[];
  readonly actual: readonly number[];
  readonly ranking: Readonly<Record<keyof typeof RANKING, readonly number[]>>;
  readonly lists: Readonly<Record<'diversity' | 'novelty' | 'popularityBias', readonly number[]>> & { readonly coverage: number; readonly gini: number };
  readonly auc: number;
  readonly accuracy: number;
  readonly calibrationError: number;
}

const RANKING = { hitRate, precision, recall, f1, reciprocalRank, ndcg };
const DIGITS = 6; // the vectors are float32

/** Written by training/reference_metrics.py, which names its libraries and their versions. */
const reference = JSON.parse(readFileSync(new URL('reference-metrics.json', import.meta.url), 'utf8')) as Reference;
const { ranked, k, items } = reference;

function expectEach(ours: readonly number[], theirs: readonly number[]): void {
  expect(ours).toHaveLength(theirs.length);
  ours.forEach((value, row) => expect(value, `list ${row}`).toBeCloseTo(theirs[row]!, DIGITS));
}

describe('metrics of a ranking agree with ranx', () => {
  it.each(Object.entries(RANKING))('%s', (name, metric) => {
    const theirs = reference.ranking[name as keyof typeof RANKING];
    expect(new Set(theirs).size).toBeGreaterThan(1);
    expectEach(ranked.map((list, row) => metric(list, new Set(reference.relevant[row]), k)), theirs);
  });

  it('and are the ones of the tables', () => {
    const list = [7, 3, 9];
    const relevant = new Set([3, 8]);
    const figures = judge(list, relevant);
    expect(figures).toMatchObject({ 'hr@10': 1, 'mrr@20': 1 / 2, 'recall@20': 1 / 2 });
    expect(figures['ndcg@10']).toBeCloseTo(1 / Math.log2(3) / (1 + 1 / Math.log2(3)), 12);
  });
});

describe('metrics of lists agree with RecTools', () => {
  const counts = new Float64Array(items);
  for (const [, item] of reference.history) counts[item]! += 1; // a user has an item once there
  const vectors = Float32Array.from(reference.vectors.flat());
  const exposure = countExposure(ranked, items, k);

  it('coverage and Gini', () => {
    expect(coverage(exposure)).toBeCloseTo(reference.lists.coverage, DIGITS);
    expect(gini(exposure)).toBeCloseTo(reference.lists.gini, DIGITS);
  });

  it('diversity', () => {
    expectEach(ranked.map((list) => diversity(list, vectors, reference.dimensions, k)), reference.lists.diversity);
  });

  it('novelty, with items that nobody had', () => {
    expect(counts).toContain(0);
    expectEach(ranked.map((list) => novelty(list, counts, reference.historyUsers, k)), reference.lists.novelty);
  });

  it('popularity bias, which RecTools takes over the items that were ever had', () => {
    expectEach(ranked.map((list) => popularityBias(list, counts, reference.history.length, k)), reference.lists.popularityBias);
  });
});

describe('metrics of scores agree with scikit-learn', () => {
  it('AUC with ties, accuracy, calibration error', () => {
    expect(auc(reference.scores, reference.outcomes)).toBeCloseTo(reference.auc, DIGITS);
    expect(accuracy(reference.predicted, reference.actual)).toBeCloseTo(reference.accuracy, DIGITS);
    expect(expectedCalibrationError(reference.probabilities, reference.outcomes, reference.bins)).toBeCloseTo(reference.calibrationError, DIGITS);
  });

  it('is NaN where there is nothing to compare', () => {
    expect([auc([1, 2], [1, 1]), accuracy([], []), expectedCalibrationError([], [])]).toEqual([NaN, NaN, NaN]);
  });
});

describe('extremes', () => {
  it('Gini is 0 for equal exposure and (n - 1) / n for one item alone', () => {
    expect(gini([3, 3, 3, 3])).toBe(0);
    expect(gini([0, 0, 0, 5])).toBe(0.75);
  });

  it('a list of one item has no diversity, an empty one no novelty', () => {
    expect(diversity([0], Float32Array.of(1, 0), 2, 10)).toBe(0);
    expect(novelty([], [], 1, 10)).toBe(0);
  });
});
