import type { Forecast } from '../types.ts';
import { medianOf } from '../lib/order-statistics.ts';
import { meanOf, recentAverage, seasonalAverage } from './baselines/averages.ts';
import { forecasterFromPoint } from './baselines/from-point.ts';
import type { PointForecast } from './baselines/from-point.ts';
import { croston, sba, tsb } from './baselines/intermittent.ts';
import { lastValue, seasonalNaive } from './baselines/naive.ts';
import type { SalesValues } from './demand-input.ts';

/** A step of a series is a day or a week. */
export type StepDays = 1 | 7;

/** Units per step of one item, and where and how long the steps are. */
export interface SalesSeries extends SalesValues {
  /** Unix seconds; the last step ends here. */
  readonly asOf: number;
  readonly stepDays: StepDays;
}

/** Whatever forecasts sales: the demand model and the baselines beside it. All series of a call have steps of one length. */
export interface DemandForecaster {
  forecast(series: readonly SalesSeries[], options: { readonly horizon: number }): Promise<Forecast[]> | Forecast[];
}

/** Steps after which sales are compared with themselves: a week of days, or four weeks. A year of weeks is more than most shops know. */
export const SEASON_STEPS: Readonly<Record<StepDays, number>> = { 1: 7, 7: 4 };

/** Past forecasts that a baseline's interval is measured from: eight weeks of days, or half a year of weeks. */
const INTERVAL_ORIGINS: Readonly<Record<StepDays, number>> = { 1: 56, 7: 26 };

const POINTS: Readonly<Record<StepDays, Readonly<Record<string, PointForecast>>>> = {
  1: {
    'last value': lastValue,
    'seasonal naive': seasonalNaive(SEASON_STEPS[1]),
    '28-day mean': recentAverage(28, meanOf),
    '28-day median': recentAverage(28, medianOf),
    'day-of-week mean': seasonalAverage(7, 8, meanOf),
    'day-of-week median': seasonalAverage(7, 8, medianOf),
    Croston: croston,
    SBA: sba,
    TSB: tsb,
  },
  7: {
    'last value': lastValue,
    'seasonal naive': seasonalNaive(SEASON_STEPS[7]),
    '4-week mean': recentAverage(4, meanOf),
    '4-week median': recentAverage(4, medianOf),
    '8-week mean': recentAverage(8, meanOf),
    '8-week median': recentAverage(8, medianOf),
    Croston: croston,
    SBA: sba,
    TSB: tsb,
  },
};

/** The simple methods, by the names that they have in reports. */
export function demandBaselines(stepDays: StepDays): ReadonlyMap<string, DemandForecaster> {
  return new Map(Object.entries(POINTS[stepDays]).map(([name, point]) => [name, forecasterFromPoint(point, INTERVAL_ORIGINS[stepDays])]));
}

/** Whether the method's number is a median, which is no estimate of the expected value. */
export function isMedianBaseline(name: string): boolean {
  return name.endsWith(' median');
}
