import { describe, expect, test } from 'vitest';
import { FEATURE_NAMES, FEATURE_SCHEMA, OLDEST_FEATURE_VERSION, type FeatureName } from '../../../src/rank/feature-schema.ts';
import { FEATURE_COUNT, writeFeatures, type CandidateView, type ModelScores } from '../../../src/rank/features.ts';
import { featureColumns, standardise } from '../../../src/rank/head.ts';
import { viewShopper } from '../../../src/rank/shopper-view.ts';

const NOW = 1_000_000;
const DAY = 86_400;
const candidate = (changes: Partial<CandidateView> = {}): CandidateView => ({
  id: 'a',
  index: 0,
  textVector: Float32Array.of(1, 0),
  pricePosition: 0.25,
  demandForecast: 6,
  lastWeek: 3,
  lastFourWeeks: 4,
  serverPosition: 10,
  ...changes,
});
const scores: ModelScores = {
  next: null,
  markov: Float32Array.of(1),
  rules: Float32Array.of(2),
  knn: Float32Array.of(0.1),
  personal: Float32Array.of(0),
  popularity: Float32Array.of(50),
  textSimilarities: [],
  textMean: null,
  lastRules: Float32Array.of(1),
  ease: null,
  sessions: null,
  repeats: null,
  personalRanks: new Map(),
  bilinear: null,
  wordSimilarities: null,
};
const named = (rows: Float32Array, row = 0) => (name: FeatureName): number => rows[row * FEATURE_COUNT + FEATURE_NAMES.indexOf(name)]!;

describe('features', () => {
  test('say what is known, and mark what is not', () => {
    const value = named(writeFeatures(viewShopper([], NOW, 2), [candidate()], scores, null));
    expect(value('popularity7d')).toBeCloseTo(Math.log1p(3), 5);
    expect(value('demandTrend')).toBeCloseTo(Math.log1p(6) - Math.log1p(4), 5);
    expect(value('serverRank')).toBeCloseTo(0.5, 6);
    expect(value('price')).toBeCloseTo(0.25, 6);
    for (const missing of ['interest', 'sinceLast', 'textAffinity', 'textMean', 'textLast', 'priceGap'] as const) expect(value(missing)).toBeNaN();
  });

  test('an unseen item without series, price or order has only what the shopper says', () => {
    const unseen = candidate({ index: -1, pricePosition: null, demandForecast: null, lastWeek: null, lastFourWeeks: null, serverPosition: null });
    const value = named(writeFeatures(viewShopper([], NOW, 2), [unseen], scores, null));
    const known = FEATURE_NAMES.filter((name) => !Number.isNaN(value(name)));
    expect(known).toEqual(['boughtBefore', 'historyLength', 'sessionLength', 'baskets']);
  });

  test('similar texts have more affinity', () => {
    const view = viewShopper([{ itemId: 'x', index: -1, kind: 'view', time: NOW - 10, pricePosition: 0.5, textVector: Float32Array.of(1, 0) }], NOW, 2);
    const rows = writeFeatures(view, [candidate(), candidate({ id: 'b' })], { ...scores, textSimilarities: [Float32Array.of(0.9, 0.2)], textMean: Float32Array.of(0.8, 0.1) }, null);
    expect(named(rows, 0)('textAffinity')).toBeGreaterThan(named(rows, 1)('textAffinity'));
    expect(named(rows, 0)('priceGap')).toBeCloseTo(0.25, 6);
  });

  test('the newest text is the page’s for a new shopper, and then less and less', () => {
    const seen = { itemId: 'x', index: -1, kind: 'cart', time: NOW - 10, pricePosition: null, textVector: Float32Array.of(1, 0) } as const;
    const page = [{ text: 'mug', textVector: Float32Array.of(0, 1) }];
    const textLast = (events: number): number => {
      const view = viewShopper(new Array<typeof seen>(events).fill(seen), NOW, 2, page);
      const textSimilarities = view.textWeights.map((_, text) => Float32Array.of(text === 0 ? 1 : -1));
      return named(writeFeatures(view, [candidate()], { ...scores, textSimilarities }, null))('textLast');
    };
    expect(textLast(0)).toBe(1);
    const fading = [0, 1, 2, 5, 10].map(textLast);
    expect(fading).toEqual(fading.toSorted((a, b) => b - a));
    expect(fading[1]).toBeLessThan(0.1);
    expect(fading[4]).toBeLessThan(-0.8);
  });

  test('a repeat purchase is due by the shopper’s own interval and by the item’s', () => {
    const purchase = (itemId: string, days: number) => ({ itemId, index: 0, kind: 'purchase', time: NOW - days * DAY, pricePosition: null, textVector: null }) as const;
    const view = viewShopper([purchase('a', 9), purchase('b', 7), purchase('a', 5), purchase('c', 4)], NOW, 2);
    const habits = { days: Float32Array.of(2.5), share: Float32Array.of(0.3) };
    const rows = writeFeatures(view, [candidate(), candidate({ id: 'b', index: -1 }), candidate({ id: 'new' })], { ...scores, repeats: habits, personalRanks: new Map([[0, 10]]) }, null);
    const a = named(rows, 0);
    expect(a('sinceBought')).toBeCloseTo(Math.log1p(5 * 24), 5);
    expect(a('basketShare')).toBeCloseTo(2 / 4, 6);
    expect(a('basketsSince')).toBeCloseTo(Math.log1p(1), 6);
    expect(a('ownInterval')).toBeCloseTo(Math.log((5 * 24 + 1) / (4 * 24 + 1)), 5);
    expect(a('itemInterval')).toBeCloseTo(Math.log((5 * 24 + 1) / (2.5 * 24 + 1)), 5);
    expect([a('itemRepeats'), a('personalRank')]).toEqual([Math.fround(0.3), 0.5]);
    expect(a('baskets')).toBeCloseTo(Math.log1p(4), 6);
    const b = named(rows, 1); // bought once, unknown to the pack
    expect(b('basketShare')).toBeCloseTo(1 / 4, 6);
    for (const missing of ['ownInterval', 'itemInterval', 'itemRepeats', 'personalRank'] as const) expect(b(missing)).toBeNaN();
    expect(named(rows, 2)('basketShare')).toBe(0);
    for (const missing of ['sinceBought', 'basketsSince'] as const) expect(named(rows, 2)(missing)).toBeNaN();
  });

  test('rankers that a pack may have are read where it has them', () => {
    const optional = { ease: Float32Array.of(0.5), sessions: Float32Array.of(3), bilinear: Float32Array.of(-2) };
    const value = named(writeFeatures(viewShopper([], NOW, 2), [candidate()], { ...scores, ...optional }, null));
    expect(['ease', 'sessions', 'bilinear', 'lastRules'].map((name) => value(name as FeatureName))).toEqual([Math.log1p(5), Math.log1p(3), -2, Math.log1p(1)].map(Math.fround));
    const without = named(writeFeatures(viewShopper([], NOW, 2), [candidate()], scores, null));
    for (const missing of ['ease', 'sessions', 'bilinear'] as const) expect(without(missing)).toBeNaN();
  });

  test('the head reads values beside missing masks, clipped', () => {
    const rows = new Float32Array(2 * FEATURE_COUNT).fill(NaN);
    rows[0] = 1e9;
    rows[FEATURE_COUNT + 1] = 3;
    expect([...standardise(rows, [0, 1], Float32Array.of(0, 1), Float32Array.of(1, 2))]).toEqual([5, 0, 0, 1, 0, 1, 1, 0]);
  });

  test('a head of another schema, version or feature is refused', () => {
    const schema = { ...FEATURE_SCHEMA, names: ['knn'] };
    expect(featureColumns(schema)).toEqual([FEATURE_NAMES.indexOf('knn')]);
    for (const version of [OLDEST_FEATURE_VERSION, FEATURE_SCHEMA.version]) expect(featureColumns({ ...schema, version })).toHaveLength(1);
    for (const wrong of [{ ...schema, version: FEATURE_SCHEMA.version + 1 }, { ...schema, version: OLDEST_FEATURE_VERSION - 1 }, { ...schema, name: 'other' }, { ...schema, names: ['moon'] }]) {
      expect(() => featureColumns(wrong)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
    }
  });
});
