import { describe, expect, it } from 'vitest';
import { cleanSeries, createCleanedForecaster } from '../../../src/forecast/clean-series.ts';
import { demandBaselines } from '../../../src/forecast/demand-baselines.ts';
import type { DemandForecaster, SalesSeries } from '../../../src/forecast/demand-baselines.ts';
import { scoreOrigin } from '../../../src/forecast/demand-evaluation.ts';
import type { SalesValues } from '../../../src/forecast/demand-input.ts';
import { IMPUTATION_METHODS } from '../../../src/forecast/gaps/imputers.ts';
import { OUTLIER_METHODS } from '../../../src/forecast/outliers.ts';
import { createRandom } from '../../../src/lib/random.ts';

/** Sales of 60 steps with gaps and a spike in every series. */
function draw(seed: number): SalesValues[] {
  const random = createRandom(seed);
  return Array.from({ length: 4 }, (_, row) => ({ values: Array.from({ length: 60 }, (__, step) => (random.next() < 0.15 ? null : step === 20 + row ? 900 : random.integer(30))) }));
}

describe('cleanSeries', () => {
  it('winsorises before it fills, and says what it did', () => {
    const values = [null, 10, 12, 11, 13, 10, 500, null, 12, 11, 13, 10, 12];
    const { series, report } = cleanSeries([{ values }, { values: [null, null] }, { values: [] }], { stepDays: 7, imputation: 'linear' });
    expect(report).toMatchObject({ unknown: 1, imputed: 1, imputation: 'linear', outliers: 1, outlierMethod: 'hampel', action: 'winsorise', marked: [[6], [], []] });
    const fence = series[0]!.values[6]!;
    expect(fence).toBeLessThan(20);
    expect(series[0]!.values[7]).toBeCloseTo((fence + 12) / 2, 12);
    expect(series[0]!.values[0]).toBeNull();
    expect(series.slice(1)).toEqual([{ values: [null, null] }, { values: [] }]);
    expect(values[6]).toBe(500);
  });

  it('fills what it deletes, which was not unknown', () => {
    const values = [10, 12, 11, 13, 10, 500, 12, 11, 13, 10, 12];
    const { series, report } = cleanSeries([{ values }], { stepDays: 7, imputation: 'linear', action: 'delete' });
    expect(series[0]!.values[5]).toBe(11);
    expect(report).toMatchObject({ unknown: 0, imputed: 0, outliers: 1 });
  });

  it('leaves series alone where nothing is asked for', () => {
    const series = draw(1);
    expect(cleanSeries(series, { stepDays: 1, imputation: 'mask', action: 'keep' }).series).toEqual(series);
  });
});

describe('cleaned forecasts', () => {
  const fourWeekMean = demandBaselines(7).get('4-week mean')!;
  const daysOf = ({ values }: SalesValues): SalesSeries => ({ values, asOf: 0, stepDays: 1 });
  const combinations = IMPUTATION_METHODS.flatMap((imputation) => OUTLIER_METHODS.map((outliers) => ({ imputation, outliers })));

  it.each(combinations)('do not see a changed future: $imputation, $outliers', async ({ imputation, outliers }) => {
    const seen: SalesValues[][] = [];
    const spy: DemandForecaster = { forecast: (series, options) => (seen.push([...series]), fourWeekMean.forecast(series, options)) };
    const cleaned = createCleanedForecaster(spy, { stepDays: 1, imputation, outliers, action: 'delete' });
    const series = draw(2).map(daysOf);
    const changed = series.map(({ values }) => daysOf({ values: values.map((value, step) => (step < 52 ? value : step % 3 === 0 ? null : 7_000 + step)) }));
    for (const each of [series, changed]) for (const stepsBack of [4, 8]) await scoreOrigin(cleaned, each, { horizon: 4, stepsBack });
    // The later origin has seen four steps that were changed; the earlier one none.
    expect(seen[3]).toEqual(seen[1]);
    expect(seen[2]).not.toEqual(seen[0]);
  });

  it('are compared with what was sold, not with what was made of it', async () => {
    const spike: SalesSeries = { asOf: 0, stepDays: 7, values: Array.from({ length: 40 }, (_, step) => (step === 39 ? 1_000 : 10 + (step % 5))) };
    const scores = await scoreOrigin(createCleanedForecaster(fourWeekMean, { stepDays: 7 }), [spike], { horizon: 1, stepsBack: 1 });
    expect(scores.mase[0]).toBeGreaterThan(900 / 1.6); // four weeks apart, 1.6 is the mean change
  });
});
