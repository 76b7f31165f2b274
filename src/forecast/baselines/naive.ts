import type { PointForecast } from './from-point.ts';

/** The last known step again (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2). */
export const lastValue: PointForecast = (history, horizon) => new Float64Array(horizon).fill(lastKnown(history));

/** The same step of the last season (section 5.2 there, too); the last known step where that one is not known. */
export function seasonalNaive(season: number): PointForecast {
  return (history, horizon) =>
    Float64Array.from({ length: horizon }, (_, step) => {
      const value = history[history.length - season + (step % season)] ?? NaN;
      return Number.isNaN(value) ? lastKnown(history) : value;
    });
}

/** 0 of a history without a known step. */
export function lastKnown(history: Float64Array): number {
  return history.findLast((value) => !Number.isNaN(value)) ?? 0;
}
