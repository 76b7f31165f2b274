import type { Forecast } from '../types.ts';
import type { DemandForecaster, SalesSeries, StepDays } from './demand-baselines.ts';
import { demandBaselines } from './demand-baselines.ts';
import { meanOverOrigins, scoreOrigin } from './demand-evaluation.ts';
import type { SeriesScores } from './demand-evaluation.ts';
import { applyGate, applyGateToScores, GATE_ORIGINS, gateDemand } from './demand-gate.ts';
import type { DemandGate } from './demand-gate.ts';

/** How ours is named, with its gate and with a gate that is always open. */
export const OURS = 'shelfwise';
export const OURS_UNGATED = 'shelfwise, no gate';

/** Ours and the simple methods, by the names that they have in reports. */
export function demandMethods(ours: DemandForecaster, stepDays: StepDays): Map<string, DemandForecaster> {
  return new Map([[OURS, ours], ...demandBaselines(stepDays)]);
}

/** The shortest history that is asked for a forecast, in days. */
export const MIN_HISTORY_DAYS = 56;

export interface DemandBacktest {
  /** Per method and series, the mean over the origins; ours first. */
  readonly methods: ReadonlyMap<string, SeriesScores>;
  /** Our gate at each origin, from what was known before it; the newest origin first. */
  readonly gates: readonly DemandGate[];
  /** Our gate after the last step. */
  readonly gate: DemandGate;
}

/**
 * Forecasts the last steps that are known from `windows` rolling origins, a horizon apart, by ours and by all other `methods`. Before
 * each origin, up to 6 further ones are forecast for the gate; with `windows` 0, for the gate after the last step alone.
 */
export async function backtestDemand(
  methods: ReadonlyMap<string, DemandForecaster>,
  series: readonly SalesSeries[],
  { horizon, windows }: { readonly horizon: number; readonly windows: number },
): Promise<DemandBacktest> {
  const origins = Math.min(windows + GATE_ORIGINS, originsWithin(series, horizon));
  const scores = new Map<string, SeriesScores[]>(); // by method, the newest origin first
  for (const [name, forecaster] of methods) {
    const all: SeriesScores[] = [];
    for (let window = 0; window < origins; window++) all.push(await scoreOrigin(forecaster, series, { horizon, stepsBack: horizon * (window + 1) }));
    scores.set(name, all);
  }
  const own = scores.get(OURS)!;
  const simple = new Map([...scores].filter(([name]) => name !== OURS));
  const gateBefore = (window: number): DemandGate => {
    const past = <T>(all: readonly T[]): T[] => all.slice(window, window + GATE_ORIGINS);
    return gateDemand(series.length, past(own), new Map([...simple].map(([name, all]) => [name, past(all)])));
  };
  // What is judged at an origin was sold before it: the origins older by a horizon and more.
  const gates = own.slice(0, windows).map((_, window) => gateBefore(window + 1));
  const gated = gates.map((gate, window) => applyGateToScores(gate, own[window]!, new Map([...simple].map(([name, all]) => [name, all[window]!]))));
  const shown = new Map([[OURS, gated], [OURS_UNGATED, own], ...simple]);
  return { methods: new Map([...shown].map(([name, all]) => [name, meanOverOrigins(all.slice(0, windows))])), gates, gate: gateBefore(0) };
}

/** Forecasts after the last step, by method: ours where the gate is open, and the simple methods'. */
export async function forecastGated(methods: ReadonlyMap<string, DemandForecaster>, gate: DemandGate, series: readonly SalesSeries[], horizon: number): Promise<Map<string, Forecast[]>> {
  const forecasts = new Map<string, Forecast[]>();
  for (const [name, forecaster] of methods) forecasts.set(name, await forecaster.forecast(series, { horizon }));
  return forecasts.set(OURS, applyGate(gate, forecasts.get(OURS)!, forecasts));
}

/** How many origins, a horizon apart, leave the longest series a history. */
export function originsWithin(series: readonly SalesSeries[], horizon: number): number {
  const longest = series.reduce((steps, { values }) => Math.max(steps, values.length), 0);
  return Math.max(0, Math.floor((longest - MIN_HISTORY_DAYS / (series[0]?.stepDays ?? 7)) / horizon));
}
