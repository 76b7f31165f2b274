import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DemandForecaster, SalesSeries } from '../../../src/forecast/demand-baselines.ts';
import { bootstrapInterval, DEMAND_METRICS, meanOverOrigins, scoreOrigin, summariseScores } from '../../../src/forecast/demand-evaluation.ts';
import type { DemandMetric } from '../../../src/forecast/demand-evaluation.ts';

/** Written by training/reference_forecasts.py. */
const reference = JSON.parse(readFileSync(new URL('reference-forecasts.json', import.meta.url), 'utf8')) as {
  horizon: number;
  series: number[][];
  said: Record<'mean' | 'median' | 'low' | 'high', number[][]>;
  metrics: Record<DemandMetric, number[]>;
};

const DAY = 86_400;
const days = (values: readonly (number | null)[]): SalesSeries => ({ values, asOf: 100 * DAY, stepDays: 1 });
const weeks = (values: readonly (number | null)[]): SalesSeries => ({ values, asOf: 100 * DAY, stepDays: 7 });

/** Says the same of every series. */
const saying = (mean: number, median: number, low: number, high: number): DemandForecaster => ({
  forecast: (series, { horizon }) => {
    const each = (value: number): number[] => new Array<number>(horizon).fill(value);
    return series.map(() => ({ mean: each(mean), median: each(median), low: each(low), high: each(high) }));
  },
});

describe('demand metrics', () => {
  it.each(DEMAND_METRICS)('%s is what utilsforecast says', async (metric) => {
    const { said, horizon } = reference;
    const forecaster: DemandForecaster = {
      forecast: (series) => series.map((_, row) => ({ mean: said.mean[row]!, median: said.median[row]!, low: said.low[row]!, high: said.high[row]! })),
    };
    const scores = await scoreOrigin(forecaster, reference.series.map(days), { horizon, stepsBack: horizon });
    reference.metrics[metric].forEach((expected, row) => expect(scores[metric][row]).toBeCloseTo(expected, 9));
  });

  it('judge the median by MASE and sMAPE, the mean by RMSSE and bias', async () => {
    // Four weeks apart: 1 and 3, so a scale of 2 (root mean square √5); sold are 6 and 10.
    const scores = await scoreOrigin(saying(9, 4, 5, 10), [weeks([2, 3, 2, 4, 3, 6, 6, 10])], { horizon: 2, stepsBack: 2 });
    expect(scores.mase[0]).toBeCloseTo((2 + 6) / 2 / 2, 12);
    expect(scores.rmsse[0]).toBeCloseTo(Math.sqrt((9 + 1) / 2 / 5), 12);
    expect(scores.bias[0]).toBeCloseTo((3 - 1) / 2 / 2, 12);
    expect(scores.smape[0]).toBeCloseTo((4 / 10 + 12 / 14) / 2, 12);
    expect(scores.coverage80[0]).toBe(1);
    expect(scores.pinball[0]).toBeCloseTo((0.1 * 1 + 0.5 * 2 + 0.1 * 4 + 0.1 * 5 + 0.5 * 6 + 0) / 2 / 3 / 2, 12);
  });

  it('take 0 for 0 as no error', async () => {
    const scores = await scoreOrigin(saying(0, 0, 0, 0), [weeks([2, 3, 2, 4, 3, 6, 0])], { horizon: 1, stepsBack: 1 });
    expect([scores.mase[0], scores.smape[0], scores.coverage80[0]]).toEqual([0, 0, 1]);
  });

  it('leave out series whose sales never changed, steps that are not known, and origins before the first step', async () => {
    const series = [weeks([3, 3, 3, 3, 3, 9]), weeks([1, 2, 3, 4, 5, null]), weeks([1, 2, 3, 4, 5, 7]), weeks([1])];
    const scores = await scoreOrigin(saying(6, 6, 6, 6), series, { horizon: 1, stepsBack: 1 });
    expect(Array.from(scores.mase)).toEqual([NaN, NaN, 1 / 4, NaN]);
    expect(summariseScores(scores)).toMatchObject({ items: 1, mase: 1 / 4, bias: -1 / 4, ci: { mase: [1 / 4, 1 / 4] } });
  });

  it('are means over origins first, whatever the number of these', async () => {
    const series = [weeks([1, 2, 3, 4, 5, 7]), weeks([4, 5, 6, 7, 8, 20])];
    const origins = [await scoreOrigin(saying(6, 6, 6, 6), series, { horizon: 1, stepsBack: 1 }), await scoreOrigin(saying(6, 6, 6, 6), [series[0]!, weeks([1])], { horizon: 1, stepsBack: 1 })];
    expect(Array.from(meanOverOrigins(origins).mase)).toEqual([1 / 4, 14 / 4]);
  });

  it('come with the same interval from the same seed, around the mean', () => {
    const values = Array.from({ length: 200 }, (_, k) => k % 10);
    const [low, high] = bootstrapInterval(values);
    expect(bootstrapInterval(values)).toEqual([low, high]);
    expect(low).toBeLessThan(4.5);
    expect(high).toBeGreaterThan(4.5);
  });
});
