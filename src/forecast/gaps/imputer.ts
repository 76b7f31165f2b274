/** What an imputer may know besides the series itself. */
export interface GapContext {
  /** Steps of one season: 7 for days, 1 where there is none. */
  readonly season: number;
  /** Series on the same steps as the one with gaps, aligned at their ends; it may be among them. */
  readonly all: readonly Float64Array[];
}

/**
 * Fills the gaps (NaN) of a series after its first known value from all that is known in it, on both sides of a gap; the series ends at the
 * origin of a forecast, so that nothing later can be read. What lies before the first known value stays unknown, for the item may not have
 * been on sale. Pure; returns a new array.
 */
export type Imputer = (values: Float64Array, context: GapContext) => Float64Array;

/** Indexes of the known values, ascending. */
export function knownSteps(values: Float64Array): number[] {
  return Array.from(values.keys()).filter((step) => !Number.isNaN(values[step]!));
}
