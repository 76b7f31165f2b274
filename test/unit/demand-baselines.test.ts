import { describe, expect, it } from 'vitest';
import { DEMAND_BASELINES, fourWeekMean, lastValue, reachesBackASeason, seasonalNaive } from '../../src/forecast/demand-baselines.ts';
import type { DemandForecaster } from '../../src/forecast/demand-baselines.ts';
import { backtestDemand, bootstrapInterval } from '../../src/forecast/demand-evaluation.ts';
import { weeklySales } from '../../src/forecast/weekly-sales.ts';
import type { DemandSeries } from '../../src/types.ts';

const DAY = 86_400;
const series = (values: readonly (number | null)[]): DemandSeries => ({ measure: 'sales', asOf: 100 * 7 * DAY, stepDays: 7, values });

async function medians(forecaster: DemandForecaster, values: readonly (number | null)[], horizon = 1): Promise<readonly number[]> {
  const [forecast] = await forecaster.forecast([series(values)], { horizon });
  return forecast!.median;
}

describe('demand baselines', () => {
  it('repeat the last known week', async () => {
    expect(await medians(lastValue, [4, 7, null], 2)).toEqual([7, 7]);
  });

  it('average the known ones of the last four weeks', async () => {
    expect(await medians(fourWeekMean, [100, 4, null, 6, 8])).toEqual([6]);
    expect(await medians(fourWeekMean, [100, null, null, null, null])).toEqual([100]);
  });

  it('repeat the week a year before, where there is one', async () => {
    const year = Array.from({ length: 53 }, (_, week) => week);
    expect(await medians(seasonalNaive, year, 2)).toEqual([1, 2]);
    expect(reachesBackASeason(series(year))).toBe(true);
    expect(await medians(seasonalNaive, year.slice(0, 40))).toEqual([39]);
    expect(reachesBackASeason(series(year.slice(0, 40)))).toBe(false);
  });

  it('put an interval of their own past errors around it', async () => {
    const [forecast] = await lastValue.forecast([series([10, 12, 10, 12, 10, 12, 10, 12])], { horizon: 1 });
    expect(forecast).toEqual({ mean: [12], median: [12], low: [10], high: [14] });
  });

  it.each(Object.entries(DEMAND_BASELINES))('%s answers malformed series', async (_, forecaster) => {
    const malformed = [series([]), series([null]), series([NaN, -4]), series([5])];
    for (const { low, median, high } of await forecaster.forecast(malformed, { horizon: 3 })) {
      expect(median).toHaveLength(3);
      for (let step = 0; step < 3; step++) {
        expect(low[step]).toBeGreaterThanOrEqual(0);
        expect(median[step]).toBeGreaterThanOrEqual(low[step]!);
        expect(high[step]).toBeGreaterThanOrEqual(median[step]!);
      }
    }
  });
});

describe('backtest', () => {
  it('scores against the weeks held out', async () => {
    const scores = await backtestDemand(lastValue, [series([2, 4, 2, 4, 7])], { horizon: 1, windows: 1 });
    expect(scores).toMatchObject({ items: 1, mae: 3, mase: 1.5, rmsse: 1.5, bias: -1.5, coverage80: 0 });
    expect(scores.smape).toBeCloseTo(6 / 11, 6);
  });

  it('shows a forecaster nothing of the weeks it is asked for', async () => {
    const seen: number[][] = [];
    const spy: DemandForecaster = {
      forecast(shown, options) {
        seen.push(...shown.map(({ values }) => values.map(Number)));
        return lastValue.forecast(shown, options);
      },
    };
    await backtestDemand(spy, [series([1, 2, 3, 4, 5, 6])], { horizon: 2, windows: 2 });
    expect(seen).toEqual([[1, 2, 3, 4], [1, 2]]);
  });

  it('leaves out items whose sales never change and weeks that are not known', async () => {
    const scores = await backtestDemand(lastValue, [series([3, 3, 3, 9]), series([1, 2, null]), series([1, 3, 4])], { horizon: 1, windows: 1 });
    expect(scores.items).toBe(1);
    expect(Array.from(scores.perItem.mae)).toEqual([NaN, NaN, 1]);
  });

  it('bootstraps the same interval from the same seed, around the mean', () => {
    const values = Array.from({ length: 200 }, (_, k) => k % 10);
    const [low, high] = bootstrapInterval(values);
    expect(bootstrapInterval(values)).toEqual([low, high]);
    expect(low).toBeLessThan(4.5);
    expect(high).toBeGreaterThan(4.5);
  });
});

describe('weekly sales', () => {
  it('are counted back from the day of asOf; what comes later is not looked at', () => {
    const asOf = 30 * DAY + 5_000;
    const lines = {
      item: Int32Array.of(0, 0, 0, 1, 1, 0),
      time: Float64Array.of(30 * DAY, 30 * DAY - 1, 23 * DAY, 17 * DAY, 29 * DAY, 1 * DAY),
      quantity: Float32Array.of(100, 2, 3, 4, NaN, 50),
    };
    expect(weeklySales(lines, 3, asOf, { from: 2 * DAY })).toEqual([
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [0, 0, 0, 5] }, // first sold on day 1
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [null, null, 4, 0] },
      { measure: 'sales', asOf: 30 * DAY, stepDays: 7, values: [null, null, null, null] },
    ]);
  });
});
