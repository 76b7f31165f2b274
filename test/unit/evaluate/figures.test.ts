import { describe, expect, it } from 'vitest';
import { bootstrapMeans, columnMeans, percentileInterval, sumByCustomer } from '../../../src/evaluate/bootstrap-columns.ts';
import { estimate } from '../../../src/evaluate/bootstrap.ts';
import { FIGURES, pairedDifference, QUERY_FIGURES, RankerFigures, type ListSurroundings, type RankerSummary } from '../../../src/evaluate/figures.ts';
import { coverage, countExposure, diversity, gini, novelty, popularityBias } from '../../../src/evaluate/list-metrics.ts';
import { f1, judge, precision } from '../../../src/evaluate/metrics.ts';
import { accuracy, expectedCalibrationError } from '../../../src/evaluate/score-metrics.ts';
import { createRandom } from '../../../src/lib/random.ts';

const ITEMS = 40;
const QUERIES = 60;
const random = createRandom(3);
const itemCounts = Float32Array.from({ length: ITEMS }, () => random.integer(50));
const textVectors = Float32Array.from({ length: ITEMS * 2 }, (_, at) => (at % 2 === 0 ? Math.cos(at) : Math.sin(at - 1)));
const surroundings: ListSurroundings = { items: ITEMS, textVectors, dimensions: 2, itemCounts, interactions: itemCounts.reduce((a, b) => a + b), itemUsers: itemCounts.map((count) => Math.min(count, 20)), users: 20 };
const queries = Array.from({ length: QUERIES }, (_, at) => ({
  first: random.shuffle(Int32Array.from({ length: ITEMS }, (__, item) => item)).slice(0, at === 7 ? 4 : 20),
  auc: random.next(),
  confidence: random.next(),
  target: random.integer(8),
  customer: random.integer(12),
}));
const customers = Int32Array.from(queries, ({ customer }) => customer);
const everything = Int32Array.from(queries.keys());

function figuresOf(lists: typeof queries): RankerFigures {
  const figures = new RankerFigures('one', lists.length, surroundings);
  lists.forEach((list, query) => figures.add(query, list, list.target));
  return figures;
}

describe('figures of a ranker', () => {
  const { values, replicates } = figuresOf(queries).summarise(everything, customers, { resamples: 400, seed: 1 });
  const mean = (value: (query: (typeof queries)[number]) => number): number => queries.reduce((sum, query) => sum + value(query), 0) / QUERIES;

  it('are those of the tested metrics', () => {
    expect([...values.keys()].sort()).toEqual([...FIGURES].sort());
    for (const figure of ['hr@10', 'ndcg@10', 'mrr@20', 'recall@20'] as const) expect(values.get(figure)).toBeCloseTo(mean(({ first, target }) => judge(first, new Set([target]))[figure]), 6);
    expect(values.get('precision')).toBeCloseTo(mean(({ first, target }) => precision(first, new Set([target]), 10)), 6);
    expect(values.get('f1')).toBeCloseTo(mean(({ first, target }) => f1(first, new Set([target]), 10)), 6);
    expect(values.get('auc')).toBeCloseTo(mean(({ auc }) => auc), 6);
    expect(values.get('accuracy')).toBeCloseTo(accuracy(queries.map(({ first }) => first[0]!), queries.map(({ target }) => target)), 6);
    expect(values.get('diversity@10')).toBeCloseTo(mean(({ first }) => diversity(first, textVectors, 2, 10)), 5);
    expect(values.get('novelty@10')).toBeCloseTo(mean(({ first }) => novelty(first, surroundings.itemUsers, 20, 10)), 5);
    expect(values.get('popularityBias@10')).toBeCloseTo(mean(({ first }) => popularityBias(first, itemCounts, surroundings.interactions, 10)), 6);
    const exposure = countExposure(queries.map(({ first }) => first), ITEMS, 10);
    expect(values.get('coverage@10')).toBe(coverage(exposure));
    expect(values.get('gini@10')).toBe(gini(exposure));
    expect(values.get('calibrationError')).toBeCloseTo(expectedCalibrationError(queries.map(({ confidence }) => confidence), queries.map(({ first, target }) => first[0] === target)), 6);
  });

  it('have replicates of the customers’ bootstrap, but for coverage and Gini', () => {
    expect([...replicates.keys()].sort()).toEqual([...QUERY_FIGURES, 'calibrationError'].sort());
    const reference = estimate(queries.map(({ auc, customer }) => ({ customer, value: auc })));
    const { low, high } = percentileInterval(replicates.get('auc')!);
    expect(low).toBeCloseTo(reference.low, 1);
    expect(high).toBeCloseTo(reference.high, 1);
  });

  it('of some queries are those of these queries alone', () => {
    const some = everything.filter((query) => query % 3 === 0);
    const alone = figuresOf(queries.filter((_, query) => query % 3 === 0)).summarise(Int32Array.from(some.keys()), Int32Array.from(some, (query) => customers[query]!), { resamples: 10, seed: 1 });
    const chosen = figuresOf(queries).summarise(some, Int32Array.from(some, (query) => customers[query]!), { resamples: 10, seed: 1 });
    expect(chosen).toEqual(alone);
  });
});

describe('bootstrap of columns', () => {
  it('is the mean where all customers are alike, and gives the same replicates for the same seed', () => {
    const sums = sumByCustomer(Float32Array.of(1, 10, 3, 30, 1, 10, 3, 30), 2, [5, 5, 9, 9]);
    expect([...columnMeans(sums)]).toEqual([2, 20]);
    expect(new Set(bootstrapMeans(sums, { resamples: 50, seed: 2 }))).toEqual(new Set([2, 20]));
    const other = sumByCustomer(Float32Array.of(1, 2, 3, 4), 1, [1, 2, 3, 4]);
    expect(bootstrapMeans(other, { resamples: 50, seed: 2 })).toEqual(bootstrapMeans(other, { resamples: 50, seed: 2 }));
    expect(bootstrapMeans(other, { resamples: 50, seed: 2 })).not.toEqual(bootstrapMeans(other, { resamples: 50, seed: 3 }));
  });

  it('covers the true mean about as often as it says', () => {
    const draws = createRandom(11);
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = Float32Array.from({ length: 80 }, () => draws.normal());
      const { low, high } = percentileInterval(bootstrapMeans(sumByCustomer(values, 1, [...values.keys()]), { resamples: 200, seed: trial }));
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
    expect(covered / 200).toBeLessThan(0.99);
  });

  it('compares in pairs: a constant difference has no width', () => {
    const values = Float64Array.from({ length: 100 }, () => random.next());
    const summary = (shift: number): RankerSummary => ({ name: '', values: new Map([['auc', 0.5 + shift]]), replicates: new Map([['auc', values.map((value) => value + shift)]]) });
    const { value, low, high } = pairedDifference(summary(0.125), summary(0), 'auc');
    expect([value, low, high].map((one) => one.toFixed(9))).toEqual(['0.125000000', '0.125000000', '0.125000000']);
  });
});
