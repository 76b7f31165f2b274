import { describe, expect, it, vi } from 'vitest';
import { ItemDemandCache, recentSales } from '../../../src/forecast/item-demand.ts';
import type { DemandSeries } from '../../../src/types.ts';

const weeks = (values: DemandSeries['values'], asOf = 100): DemandSeries => ({ measure: 'sales', asOf, stepDays: 7, values });

describe('recentSales', () => {
  it('skips unknown weeks', () => expect(recentSales(weeks([9, 8, null, 4, 2, 6, null]))).toEqual({ lastWeek: 6, lastFourWeeks: 5 }));
  it('takes returns for no sale', () => expect(recentSales(weeks([3, -5]))).toEqual({ lastWeek: 0, lastFourWeeks: 1.5 }));
  it('knows nothing of an empty series', () => expect(recentSales(weeks([null]))).toEqual({ lastWeek: null, lastFourWeeks: null }));
});

describe('ItemDemandCache', () => {
  const forecast = vi.fn((series: readonly DemandSeries[]) =>
    Promise.resolve(series.map(({ values }) => ({ mean: [values.length], median: [values.length], low: [0], high: [99] }))),
  );

  it('asks for all new series at once, and for none again', async () => {
    const cache = new ItemDemandCache({ forecast });
    const items = [
      { id: 'a', series: weeks([1]) },
      { id: 'b', series: weeks([1, 2]) },
    ];
    expect(await cache.demandOf(items)).toEqual([
      { forecast: 1, lastWeek: 1, lastFourWeeks: 1 },
      { forecast: 2, lastWeek: 2, lastFourWeeks: 1.5 },
    ]);
    await cache.demandOf([...items, { id: 'b', series: weeks([1, 2]) }]);
    expect(forecast).toHaveBeenCalledTimes(1);
    expect((await cache.demandOf([{ id: 'b', series: weeks([1, 3]) }, ...items]))[0]!.lastWeek).toBe(3);
    expect(forecast.mock.calls.slice(1).map(([series]) => series.length)).toEqual([1]);
    await cache.demandOf([{ id: 'a', series: weeks([1], 101) }]);
    expect(forecast).toHaveBeenCalledTimes(3);
  });

  it('knows past sales without a model', async () => {
    expect(await new ItemDemandCache(null).demandOf([{ id: 'a', series: weeks([1]) }])).toEqual([{ forecast: null, lastWeek: 1, lastFourWeeks: 1 }]);
  });
});
