import type { PointForecast } from './from-point.ts';

/** Weight of the newest sale and of the newest gap between sales: Croston's and statsforecast's. */
const CROSTON_ALPHA = 0.1;

/** Weight of the newest sale, and of whether something was sold in the newest step: those of the trials in statsforecast. */
const TSB_ALPHA = 0.2;

/**
 * Croston 1972, "Forecasting and stock control for intermittent demands", Operational Research Quarterly 23(3): size of a sale and steps from one sale
 * to the next are smoothed apart, each when something is sold; their ratio is the forecast of every step. Steps that are not known are left out.
 */
export const croston: PointForecast = (history, horizon) => new Float64Array(horizon).fill(crostonRate(history));

/**
 * Syntetos & Boylan 2005, "The accuracy of intermittent demand estimates", International Journal of Forecasting 21(2), section 2: Croston's ratio is
 * too high by about α / 2 of itself, since the mean of 1 / gap is not 1 / the mean gap.
 */
export const sba: PointForecast = (history, horizon) => new Float64Array(horizon).fill((1 - CROSTON_ALPHA / 2) * crostonRate(history));

/**
 * Teunter, Syntetos & Babai 2011, "Intermittent demand: linking forecasting to inventory obsolescence", European Journal of Operational Research 214(3), section 3:
 * in place of the gap, the probability of a sale is smoothed, and in every step, so that the forecast falls while nothing is sold.
 */
export const tsb: PointForecast = (history, horizon) => {
  let probability = NaN;
  let size = NaN;
  for (const value of history) {
    if (Number.isNaN(value)) continue;
    probability = smooth(probability, value > 0 ? 1 : 0, TSB_ALPHA);
    if (value > 0) size = smooth(size, value, TSB_ALPHA);
  }
  return new Float64Array(horizon).fill(Number.isNaN(size) ? 0 : probability * size);
};

/** Units per step; 0 where nothing was ever sold. */
function crostonRate(history: Float64Array): number {
  let size = NaN;
  let gap = NaN;
  let steps = 0; // since the last sale
  for (const value of history) {
    if (Number.isNaN(value)) continue;
    steps += 1;
    if (value === 0) continue;
    size = smooth(size, value, CROSTON_ALPHA);
    gap = smooth(gap, steps, CROSTON_ALPHA);
    steps = 0;
  }
  return Number.isNaN(size) ? 0 : size / gap;
}

/** Simple exponential smoothing, whose first level is the first value. */
function smooth(level: number, value: number, alpha: number): number {
  return Number.isNaN(level) ? value : level + alpha * (value - level);
}
