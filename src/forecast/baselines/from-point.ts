import { quantileOf } from '../../lib/order-statistics.ts';
import type { Forecast } from '../../types.ts';
import type { DemandForecaster } from '../demand-baselines.ts';
import { readSeries } from '../demand-input.ts';
import type { SalesValues } from '../demand-input.ts';

/** Sales of the next `horizon` steps after the end of `history`; steps of `history` that are not known are NaN. */
export type PointForecast = (history: Float64Array, horizon: number) => ArrayLike<number>;

/** The bounds of the 80 % interval. */
const [LOW, HIGH] = [0.1, 0.9];

/**
 * A method that says one number, as a forecaster: the number is mean and median. The 80 % interval lies between the deciles of the
 * method's own errors on the same series: forecasts as far ahead as this step, made from each of the `origins` newest places
 * of the past (empirical prediction intervals, Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.5).
 * Nothing is below 0.
 */
export function forecasterFromPoint(point: PointForecast, origins: number): DemandForecaster {
  const forecastOne = (series: SalesValues, horizon: number): Forecast => {
    const { values, start } = readSeries(series);
    const mean = Array.from(point(values, horizon), (value) => Math.max(0, value));
    const errors = pastErrors(point, values.subarray(Math.min(start, values.length)), horizon, origins);
    return {
      mean,
      median: mean,
      low: mean.map((value, step) => Math.max(0, value + Math.min(0, quantileOf(errors[step]!, LOW) || 0))),
      high: mean.map((value, step) => value + Math.max(0, quantileOf(errors[step]!, HIGH) || 0)),
    };
  };
  return { forecast: (series, { horizon }) => series.map((one) => forecastOne(one, horizon)) };
}

/** Actual minus forecast by distance, ascending: [horizon][at most origins]. */
function pastErrors(point: PointForecast, values: Float64Array, horizon: number, origins: number): Float64Array[] {
  const errors = Array.from({ length: horizon }, () => [] as number[]);
  for (let origin = Math.max(1, values.length - horizon - origins + 1); origin < values.length; origin++) {
    const ahead = Math.min(horizon, values.length - origin);
    const forecast = point(values.subarray(0, origin), ahead);
    for (let step = 0; step < ahead; step++) {
      const error = values[origin + step]! - Math.max(0, forecast[step]!);
      if (origin > values.length - 1 - step - origins && !Number.isNaN(error)) errors[step]!.push(error);
    }
  }
  return errors.map((each) => Float64Array.from(each).sort());
}
