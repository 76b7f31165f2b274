import { describe, expect, test } from 'vitest';
import { headCurve, nextPurchaseErrors } from '../../../src/cli/report/curves.ts';
import { evaluateHeldOut } from '../../../src/cli/report/held-out.ts';
import { renderReport } from '../../../src/cli/report/page.ts';
import type { ScoredQuery } from '../../../src/learn/head-training.ts';
import { FEATURE_NAMES } from '../../../src/rank/feature-schema.ts';
import { FEATURE_COUNT } from '../../../src/rank/features.ts';

const ROWS = 5;

/** The head knows what comes next, Markov scores all alike, the rules know every other item, item-kNN none. */
function lists(shoppers: number): ScoredQuery[] {
  return Array.from({ length: shoppers }, (_, shopper) => {
    const features = new Float32Array(ROWS * FEATURE_COUNT).fill(NaN);
    for (let row = 0; row < ROWS; row++) {
      features[row * FEATURE_COUNT + FEATURE_NAMES.indexOf('markov')] = 1;
      if (row > 0) features[row * FEATURE_COUNT + FEATURE_NAMES.indexOf('rules')] = row;
    }
    const offsets = Float32Array.of(0, 0, 0, Math.log(20), 0);
    const query = { shopper, events: shopper, items: Int32Array.of(0, 1, 2, 3, 4), features, hidden: new Float32Array(0), offsets, target: 0, later: [0], found: true, kind: 'catalogue' as const };
    return { query, scores: Float32Array.of(9, 1, 1, 1, 1) };
  });
}

const evaluation = evaluateHeldOut(lists(12), { protocol: 'temporal', items: 10, features: ['markov', 'rules', 'knn', 'price'], lines: Float32Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0, 0) })!;
const figures = (name: string): Readonly<Record<string, { value: number }>> => evaluation.rankers.find((ranker) => ranker.name === name)!.metrics;

describe('the training report', () => {
  test('counts a random candidate for its share of the catalogue and equal scores for the mean of their places', () => {
    expect(evaluation.rankers.map(({ name }) => name)).toEqual(['shelfwise', 'Markov', 'sequential rules', 'item-kNN']);
    expect(figures('shelfwise')).toMatchObject({ 'ndcg@10': { value: 1 }, 'hr@10': { value: 1 } });
    expect(figures('sequential rules')).toMatchObject({ 'hr@10': { value: 0 }, 'recall@20': { value: 0 } }); // 1 + 1 + 20 + 1 are better
    expect(figures('Markov')['hr@10']!.value).toBeCloseTo(10 / 24, 5);
    expect(figures('Markov')['recall@20']!.value).toBeCloseTo(20 / 24, 5);
    expect(evaluation.rankers.map(({ coverage }) => coverage)).toEqual([0.5, 0.5, 0.4, 0]);
  });

  test('groups queries by history and by popularity, and compares probabilities with what came true', () => {
    expect(evaluation.groupings[0]!.groups.map(({ label, queries }) => [label, queries])).toEqual([
      ['0', 1],
      ['1–9', 9],
      ['10–49', 2],
    ]);
    const { bins } = evaluation.calibration!;
    expect(bins.at(-1)!.observed.value).toBe(1);
    expect(bins[0]!.observed.value).toBe(0);
    expect(evaluateHeldOut([], { protocol: 'temporal', items: 1, features: [], lines: new Float32Array(1) })).toBeNull();
  });

  test('is a page that fetches nothing, with a table under each plot and names escaped', () => {
    const html = renderReport({
      version: 1,
      pack: { name: '<img src=x onerror=alert(1)> & co', revision: 'ab' },
      data: { protocol: 'temporal', interactions: 1_234, heldBack: 34, shoppers: 5, items: 10, validationFrom: '2011-10-01T00:00:00.000Z', until: '2011-11-01T00:00:00.000Z' },
      seed: 1,
      interrupted: false,
      nextPurchase: { model: 9.04, medianGap: 11.5, ownMedianGap: 12.25 },
      windows: [{ days: 7, lines: 0, ndcg: null }, { days: null, lines: 1_200, ndcg: 0.25 }],
      curves: [headCurve([{ epoch: 1, loss: 2, ndcg: 0.25 }, { epoch: 2, loss: 1, ndcg: 0.5 }])],
      evaluation,
    });
    expect(html).not.toMatch(/<script|<img|<link|\b(?:src|href)=["']|url\(/i);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; co');
    const plots = html.match(/<svg/g)!.length - html.match(/<li><svg/g)!.length;
    expect(plots).toBe(7);
    expect(html.match(/role="img"/g)).toHaveLength(plots);
    expect(html.match(/<table>/g)).toHaveLength(plots + 2); // windows and days until the next purchase are tables alone
    expect(html).toContain('<th scope="row">interest model</th><td>9.0</td>');
  });

  test('has the days until the next purchase where all three figures were measured', () => {
    expect(nextPurchaseErrors({ 'interest.epochs': 3, 'interest.daysToPurchaseMae': 1, 'interest.medianGapMae': 2, 'interest.ownMedianGapMae': 3 })).toEqual({ model: 1, medianGap: 2, ownMedianGap: 3 });
    expect(nextPurchaseErrors({ 'interest.epochs': 3 })).toBeNull();
  });
});
