import type { Imputer } from './imputer.ts';
import { knownSteps } from './imputer.ts';

/**
 * Imputes each weekday from the same weekdays alone (imputeTS `na_seasplit`, Moritz & Bartz-Beielstein 2017, §2.2), so that a shop that is
 * closed on Saturdays stays closed. A weekday that is not known before a gap takes what the imputer says of the whole series.
 */
export function bySeason(impute: Imputer): Imputer {
  return (values, context) => {
    const { season } = context;
    const first = knownSteps(values)[0] ?? values.length;
    const filled = impute(values, context);
    if (season <= 1) return filled;
    for (let phase = 0; phase < season; phase++) {
      const own = impute(every(values, phase, season), { season: 1, all: context.all.map((other) => every(other, phase + other.length - values.length, season)) });
      for (const [k, value] of own.entries()) {
        const at = phase + k * season;
        if (at >= first && !Number.isNaN(value)) filled[at] = value;
      }
    }
    return filled;
  };
}

function every(values: Float64Array, phase: number, season: number): Float64Array {
  const start = ((phase % season) + season) % season;
  return Float64Array.from({ length: Math.max(0, Math.ceil((values.length - start) / season)) }, (_, k) => values[start + k * season]!);
}
