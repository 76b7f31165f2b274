import type { PointForecast } from './from-point.ts';
import { lastKnown } from './naive.ts';

/** One number of some known ones, at least one. */
export type Average = (known: Float64Array) => number;

export const meanOf: Average = (known) => known.reduce((sum, value) => sum + value, 0) / known.length;

/** The average of what is known of the last `steps` steps, at each step ahead; the last known step where nothing of them is. */
export function recentAverage(steps: number, average: Average): PointForecast {
  return (history, horizon) => new Float64Array(horizon).fill(averageKnown(history.subarray(-steps), average, history));
}

/** The average of the same step of the last `seasons` seasons: with days and weeks, of the same weekday. */
export function seasonalAverage(season: number, seasons: number, average: Average): PointForecast {
  return (history, horizon) => {
    const places = Array.from({ length: Math.min(season, horizon) }, (_, place) => {
      const same = Float64Array.from({ length: seasons }, (__, back) => history[history.length - season * (back + 1) + place] ?? NaN);
      return averageKnown(same, average, history);
    });
    return Float64Array.from({ length: horizon }, (_, step) => places[step % season]!);
  };
}

function averageKnown(values: Float64Array, average: Average, history: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? lastKnown(history) : average(known);
}
