import { expect } from 'vitest';

/** Repeatable values in [-scale, scale) (Park & Miller 1988). */
export function seededValues(seed: number): (length: number, scale?: number) => Float32Array {
  let state = (Math.abs(seed) % 2_147_483_646) + 1;
  return (length, scale = 1) =>
    Float32Array.from({ length }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return (state / 1_073_741_823.5 - 1) * scale;
    });
}

/**
 * Expects two arrays to differ by at most `relative` times the largest expected magnitude, or times `least` where that is
 * larger: the yardstick of values that are differences of larger ones. NaN is never close.
 */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-5, least = 1e-3): void {
  expect(actual.length).toBe(expected.length);
  const all = Array.from(expected);
  const scale = all.reduce((largest, value) => Math.max(largest, Math.abs(value)), least);
  const far = all.findIndex((value, i) => !(Math.abs(actual[i]! - value) <= relative * scale));
  expect(far === -1 ? undefined : { index: far, actual: actual[far], expected: all[far] }).toBeUndefined();
}
