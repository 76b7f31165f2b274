import type { Forecast } from '../types.ts';
import { isMedianBaseline } from './demand-baselines.ts';
import type { SeriesScores } from './demand-evaluation.ts';

/** Which series our forecast answers, and what answers the others. */
export interface DemandGate {
  /** Per series. */
  readonly on: readonly boolean[];
  /**
   * The simple methods with the least mean MASE (whose median and interval answer) and the least mean RMSSE (whose mean answers; no median);
   * null where nothing could be judged.
   */
  readonly fallback: { readonly median: string; readonly mean: string } | null;
  /** Past origins that it was judged on. */
  readonly origins: number;
}

/** Origins that a gate looks back over; more say more, but of an older time. */
export const GATE_ORIGINS = 6;

/** With one origin, a gain cannot be told from chance. */
const MIN_ORIGINS = 2;

/** By how many of its standard errors the gain of all series together must be above 0 (the one-standard-error rule, Breiman et al. 1984, Classification and Regression Trees, section 3.4.3). */
const COMMON_ERRORS = 1;

/** By how many of its standard errors one series' gain must contradict all together: 1.5 and 2 did alike on Online Retail, 1 switches twice as many from one origin to the next. */
const OWN_ERRORS = 2;

/**
 * Opens our forecast for the series where past origins show a gain over the best simple method.
 *
 * The gain of a series at an origin is the least MASE + the least RMSSE of the simple methods, chosen over all series, minus ours. A few
 * origins of one series say little: its own mean alone would switch it by noise, from one origin to the next. So all series decide first: ours is on where
 * the mean gain is above one standard error (over series and origins), else off. A series departs from that only where its own mean gain has the other sign
 * by more than two standard errors (over its origins). One series alone, then, must gain by more than one.
 *
 * @param series How many there are; all are open where there are too few origins to judge.
 * @param ours Scores at past origins, a horizon apart.
 * @param baselines The same of the simple methods by name.
 */
export function gateDemand(series: number, ours: readonly SeriesScores[], baselines: ReadonlyMap<string, readonly SeriesScores[]>): DemandGate {
  // A median that is taken for the expected value is too low where sales are skewed.
  const fallback = { median: leastOf('mase', baselines), mean: leastOf('rmsse', new Map([...baselines].filter(([name]) => !isMedianBaseline(name)))) };
  const median = baselines.get(fallback.median);
  const mean = baselines.get(fallback.mean);
  if (!median || !mean) return open(series);
  const gains = Array.from({ length: series }, (_, row) =>
    known(ours.map(({ mase, rmsse }, origin) => median[origin]!.mase[row]! + mean[origin]!.rmsse[row]! - mase[row]! - rmsse[row]!)),
  ); // [series][origins that are known]
  const origins = gains.reduce((most, own) => Math.max(most, own.length), 0);
  if (origins < MIN_ORIGINS) return open(series);

  const all = gainOf(gains.flat());
  const common = all.mean > COMMON_ERRORS * all.standardError;
  const on = gains.map((own) => {
    if (own.length < MIN_ORIGINS) return common;
    const { mean: gain, standardError } = gainOf(own);
    return common ? gain >= -OWN_ERRORS * standardError : gain > OWN_ERRORS * standardError;
  });
  return { on, fallback, origins };
}

/** Our forecasts where the gate is open, the simple methods' elsewhere. */
export function applyGate({ on, fallback }: DemandGate, ours: readonly Forecast[], baselines: ReadonlyMap<string, readonly Forecast[]>): Forecast[] {
  return ours.map((own, row) => {
    if (on[row]! || fallback === null) return own;
    const { median, low, high } = baselines.get(fallback.median)![row]!;
    return { mean: baselines.get(fallback.mean)![row]!.mean, median, low, high };
  });
}

/** Scores of what `applyGate` answers. */
export function applyGateToScores({ on, fallback }: DemandGate, ours: SeriesScores, baselines: ReadonlyMap<string, SeriesScores>): SeriesScores {
  if (fallback === null) return ours;
  const median = baselines.get(fallback.median)!;
  const mean = baselines.get(fallback.mean)!;
  const pick = (own: Float64Array, simple: Float64Array): Float64Array => own.map((value, row) => (on[row]! ? value : simple[row]!));
  return {
    mase: pick(ours.mase, median.mase),
    rmsse: pick(ours.rmsse, mean.rmsse),
    bias: pick(ours.bias, mean.bias),
    smape: pick(ours.smape, median.smape),
    coverage80: pick(ours.coverage80, median.coverage80),
    pinball: pick(ours.pinball, median.pinball),
  };
}

const open = (series: number): DemandGate => ({ on: new Array<boolean>(series).fill(true), fallback: null, origins: 0 });

function gainOf(gains: readonly number[]): { mean: number; standardError: number } {
  const mean = meanOf(gains);
  const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (gains.length - 1) / gains.length) };
}

/** The method with the least mean; empty where nothing is known. */
function leastOf(metric: 'mase' | 'rmsse', methods: ReadonlyMap<string, readonly SeriesScores[]>): string {
  let least = { name: '', value: Infinity };
  for (const [name, origins] of methods) {
    const value = meanOf(origins.flatMap((scores) => known(scores[metric])));
    if (value < least.value) least = { name, value };
  }
  return least.name;
}

function known(values: ArrayLike<number>): number[] {
  return Array.from(values).filter((value) => !Number.isNaN(value));
}

/** NaN of nothing. */
function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
