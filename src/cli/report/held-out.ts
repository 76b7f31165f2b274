import { estimate, type Sample } from '../../evaluate/bootstrap.ts';
import type { ScoredQuery } from '../../learn/head-training.ts';
import type { Protocol } from '../../learn/protocol.ts';
import { FEATURE_NAMES, type FeatureName } from '../../rank/feature-schema.ts';
import { FEATURE_COUNT } from '../../rank/features.ts';
import type { Calibration, Estimate, Evaluation, Grouping, RankerFigures } from './report-data.ts';

const OURS = 'shelfwise';
const METRIC = 'ndcg@10';

/** What orders candidates by itself, each a feature of the head. */
const SIMPLE_RANKERS: Readonly<Partial<Record<FeatureName, string>>> = {
  interest: 'interest LSTM alone',
  markov: 'Markov',
  rules: 'sequential rules',
  lastRules: 'rules of the last item',
  knn: 'item-kNN',
  personal: 'personal frequency',
  ease: 'EASE',
  sessions: 'VMIS-kNN',
  bilinear: 'bilinear text',
  popularity: 'popularity',
  popularity7d: 'popular 7 days',
  textAffinity: 'text alone',
};

const EVENT_BOUNDS = [1, 10, 50, 200];
const CALIBRATION_BINS = 10;
const POPULARITY_GROUPS = 4;

const QUESTION: Readonly<Record<Protocol, string>> = {
  temporal: 'Which item comes next within a session of the validation days, asked of shoppers who trained no head, with models and counts that end before those days. ',
  session: 'Which item comes next within a validation session, asked of sessions that trained no head, with models and counts that end before them. ',
  'leave-one-out': 'Which item comes after a shopper’s history, the last of it held back, asked of shoppers who trained no head, among items that they have not had. ',
};
const CANDIDATES =
  'Candidates are what any ranker puts near its top, the item that came next, and 60 random items, each of which counts for its share of the rest of the catalogue.';

export interface HeldOutOptions {
  readonly protocol: Protocol;
  readonly items: number;
  /** The features that the head reads: what was left out of it is no ranker either. */
  readonly features: readonly FeatureName[];
  /** Lines of each item before the validation part, [items]. */
  readonly lines: Float32Array;
}

/** Compares the head with each ranker that it reads, on the lists that measured it; null where nothing was held out. */
export function evaluateHeldOut(lists: readonly ScoredQuery[], { protocol, items, features, lines }: HeldOutOptions): Evaluation | null {
  if (lists.length === 0) return null;
  const rankers: { name: string; scoresOf: (list: ScoredQuery) => Float32Array }[] = [{ name: OURS, scoresOf: ({ scores }) => scores }];
  for (const feature of features) {
    const name = SIMPLE_RANKERS[feature];
    if (name !== undefined) rankers.push({ name, scoresOf: ({ query }) => column(query.features, FEATURE_NAMES.indexOf(feature)) });
  }
  const judged = rankers.map(({ name, scoresOf }) => ({ name, judgements: lists.map((list) => judgeList(list, scoresOf(list))) }));
  const mean = (values: readonly number[], chosen: readonly number[]): Estimate => interval(chosen.map((at) => ({ customer: lists[at]!.query.shopper, value: values[at]! })));
  const all = [...lists.keys()];
  const groupBy = (by: string, labels: readonly string[], groupOf: (list: ScoredQuery) => number): Grouping => ({
    by,
    groups: labels.flatMap((label, group) => {
      const chosen = all.filter((at) => groupOf(lists[at]!) === group);
      if (chosen.length === 0) return [];
      const figures = judged.map(({ name, judgements }) => [name, mean(judgements.map((one) => one[METRIC]), chosen)] as const);
      return [{ label, queries: chosen.length, rankers: Object.fromEntries(figures) }];
    }),
  });
  return {
    protocol: QUESTION[protocol] + CANDIDATES,
    queries: lists.length,
    shoppers: new Set(lists.map(({ query }) => query.shopper)).size,
    ours: OURS,
    metric: METRIC,
    rankers: judged.map(({ name, judgements }): RankerFigures => {
      const metrics = (['hr@10', 'ndcg@10', 'mrr@20', 'recall@20'] as const).map((key) => [key, mean(judgements.map((one) => one[key]), all)] as const);
      return { name, metrics: Object.fromEntries(metrics), coverage: new Set(judgements.flatMap(({ firstTen }) => firstTen)).size / items };
    }),
    groupings: [
      groupBy('Events before the session', rangeLabels(EVENT_BOUNDS), ({ query }) => EVENT_BOUNDS.filter((bound) => query.events >= bound).length),
      byPopularity(groupBy, lists, lines),
    ],
    calibration: calibrate(lists),
  };
}

interface Judgement {
  readonly 'hr@10': number;
  readonly 'ndcg@10': number;
  readonly 'mrr@20': number;
  readonly 'recall@20': number;
  readonly firstTen: readonly number[];
}

/** The target's expected figures over all orders of equal scores; a row counts as many times as the items it stands for. */
function judgeList({ query: { target, offsets, items } }: ScoredQuery, scores: Float32Array): Judgement {
  let better = 0;
  let equal = 0;
  scores.forEach((score, row) => {
    if (row === target) return;
    if (score > scores[target]!) better += Math.exp(offsets[row]!);
    else if (score === scores[target]!) equal += Math.exp(offsets[row]!);
  });
  const first = Math.round(better);
  const places = Math.round(equal) + 1;
  const expected = (depth: number, gain: (rank: number) => number): number => {
    let sum = 0;
    for (let rank = first; rank < Math.min(depth, first + places); rank++) sum += gain(rank);
    return sum / places;
  };
  const scored = [...scores.keys()].filter((row) => scores[row]! > -Infinity);
  return {
    'hr@10': expected(10, () => 1),
    'ndcg@10': expected(10, (rank) => 1 / Math.log2(rank + 2)),
    'mrr@20': expected(20, (rank) => 1 / (rank + 1)),
    'recall@20': expected(20, () => 1),
    firstTen: scored.sort((a, b) => scores[b]! - scores[a]!).slice(0, 10).map((row) => items[row]!),
  };
}

/** A feature of every row, -Infinity where it is missing: what a ranker does not know comes last. */
function column(features: Float32Array, at: number): Float32Array {
  return Float32Array.from({ length: features.length / FEATURE_COUNT }, (_, row) => {
    const value = features[row * FEATURE_COUNT + at]!;
    return Number.isNaN(value) ? -Infinity : value;
  });
}

/** Quarters of the queries, by how often the item that came next was seen before. */
function byPopularity(groupBy: (by: string, labels: readonly string[], groupOf: (list: ScoredQuery) => number) => Grouping, lists: readonly ScoredQuery[], lines: Float32Array): Grouping {
  const seen = ({ query }: ScoredQuery): number => lines[query.items[query.target]!]!;
  const sorted = lists.map(seen).sort((a, b) => a - b);
  const bounds = [...new Set(Array.from({ length: POPULARITY_GROUPS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / POPULARITY_GROUPS)]!))].filter((bound) => bound > 0);
  return groupBy('Earlier lines of the item', rangeLabels(bounds), (list) => bounds.filter((bound) => seen(list) >= bound).length);
}

/** `0`, `1–9`, … `200+` for bounds 1, 10, … 200. */
function rangeLabels(bounds: readonly number[]): string[] {
  return [0, ...bounds].map((low, at) => {
    const next = bounds[at];
    return next === undefined ? `${low}+` : next - 1 === low ? String(low) : `${low}–${next - 1}`;
  });
}

/**
 * The head's probabilities, a soft-max over the list with each row counted for the items it stands for, in bins of equally many candidates.
 * An item that no ranker put near its top is a candidate only because it came next: counting it would call small probabilities too small.
 */
function calibrate(lists: readonly ScoredQuery[]): Calibration {
  const rows = lists.flatMap(({ query: { shopper, offsets, target, found }, scores }) => {
    const logits = scores.map((score, row) => score + offsets[row]!);
    const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    return [...scores.keys()].flatMap((row) =>
      offsets[row] !== 0 || (row === target && !found) ? [] : [{ customer: shopper, predicted: Math.exp(logits[row]! - top) / total, value: row === target ? 1 : 0 }],
    );
  });
  rows.sort((a, b) => a.predicted - b.predicted);
  const bins = Array.from({ length: CALIBRATION_BINS }, (_, bin) => rows.slice(Math.floor((bin * rows.length) / CALIBRATION_BINS), Math.floor(((bin + 1) * rows.length) / CALIBRATION_BINS)))
    .filter((chosen) => chosen.length > 0)
    .map((chosen) => ({ predicted: chosen.reduce((sum, { predicted }) => sum + predicted, 0) / chosen.length, observed: interval(chosen), count: chosen.length }));
  const error = bins.reduce((sum, { predicted, observed, count }) => sum + Math.abs(predicted - observed.value) * count, 0) / rows.length;
  return { ranker: OURS, bins, error };
}

function interval(samples: readonly Sample[]): Estimate {
  const { value, low, high } = estimate(samples);
  return { value, low, high };
}
