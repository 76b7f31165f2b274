import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { demandBaselines } from '../../../src/forecast/demand-baselines.ts';
import type { SalesSeries, StepDays } from '../../../src/forecast/demand-baselines.ts';
import type { Forecast } from '../../../src/types.ts';

/** Written by training/reference_forecasts.py. */
const reference = JSON.parse(readFileSync(new URL('reference-forecasts.json', import.meta.url), 'utf8')) as {
  horizon: number;
  series: number[][];
  forecasts: Record<string, number[][]>;
};

const seriesOf = (values: readonly (number | null)[], stepDays: StepDays): SalesSeries => ({ values, asOf: 0, stepDays });

async function forecast(method: string, values: readonly (number | null)[], { stepDays = 1, horizon = 1 }: { stepDays?: StepDays; horizon?: number } = {}): Promise<Forecast> {
  const [answer] = await demandBaselines(stepDays).get(method)!.forecast([seriesOf(values, stepDays)], { horizon });
  return answer!;
}

describe('baselines beside statsforecast', () => {
  it.each(Object.entries(reference.forecasts))('%s', async (method, expected) => {
    for (const [row, values] of reference.series.entries()) {
      const { mean, median } = await forecast(method, values.slice(0, -reference.horizon), { horizon: reference.horizon });
      expect(median).toEqual(mean);
      mean.forEach((value, step) => expect(value).toBeCloseTo(expected[row]![step]!, 9));
    }
  });
});

describe('baselines', () => {
  it('repeat the last known step', async () => {
    expect((await forecast('last value', [4, 7, null], { horizon: 2 })).mean).toEqual([7, 7]);
  });

  it('repeat the last season: a week of days, four weeks', async () => {
    expect((await forecast('seasonal naive', [9, 1, 2, 3, 4, 5, 6, 7], { horizon: 8 })).mean).toEqual([1, 2, 3, 4, 5, 6, 7, 1]);
    expect((await forecast('seasonal naive', [9, 1, 2, null, 4], { stepDays: 7, horizon: 5 })).mean).toEqual([1, 2, 4, 4, 1]);
  });

  it('average what is known of the last weeks', async () => {
    expect((await forecast('4-week mean', [100, 4, null, 6, 8], { stepDays: 7 })).mean).toEqual([6]);
    expect((await forecast('4-week median', [100, 1, null, 6, 8], { stepDays: 7 })).mean).toEqual([6]);
    expect((await forecast('8-week median', [50, 9, 1, 2, 3, 4, 5, 6, 8], { stepDays: 7 })).mean).toEqual([4.5]);
    expect((await forecast('4-week mean', [100, null, null, null, null], { stepDays: 7 })).mean).toEqual([100]);
  });

  it('take the median of each weekday', async () => {
    const mondays = [3, 30, 4, 5, 1, 2, 6, 900];
    const values = mondays.flatMap((units) => [units, 0, 0, 0, 0, 0, 7]);
    expect((await forecast('day-of-week median', [1_000, ...values.slice(1)], { horizon: 8 })).median).toEqual([5.5, 0, 0, 0, 0, 0, 7, 5.5]);
  });

  it('fall while nothing is sold by TSB alone', async () => {
    const sold = [0, 4, 0, 4, 0, 4];
    const idle = [...sold, ...new Array<number>(20).fill(0)];
    expect((await forecast('Croston', idle)).mean).toEqual((await forecast('Croston', sold)).mean);
    expect((await forecast('TSB', idle)).mean[0]).toBeLessThan((await forecast('TSB', sold)).mean[0]! / 10);
  });

  it('put an interval of their own past errors around the forecast', async () => {
    const { mean, median, low, high } = await forecast('last value', [10, 12, 10, 12, 10, 12, 10, 12]);
    expect({ mean, median, low, high }).toEqual({ mean: [12], median: [12], low: [10], high: [14] });
  });

  it('read nothing of the weeks before a product was on sale as errors', async () => {
    expect(await forecast('last value', [null, null, null, 5, 5, 5])).toEqual({ mean: [5], median: [5], low: [5], high: [5] });
  });

  it.each([1, 7] as const)('answer malformed series of %i days a step', async (stepDays) => {
    const malformed = [[], [null], [NaN, -4], [5], [0, 0, 0]].map((values) => seriesOf(values, stepDays));
    for (const forecaster of demandBaselines(stepDays).values()) {
      for (const { mean, low, median, high } of await forecaster.forecast(malformed, { horizon: 3 })) {
        expect(mean).toHaveLength(3);
        for (let step = 0; step < 3; step++) {
          expect(low[step]).toBeGreaterThanOrEqual(0);
          expect(median[step]).toBeGreaterThanOrEqual(low[step]!);
          expect(high[step]).toBeGreaterThanOrEqual(median[step]!);
        }
      }
    }
  });
});
