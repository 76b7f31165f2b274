import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hampel, interquartileRange, OUTLIER_DETECTORS, outlierSteps, robustZScore, treatOutliers } from '../../../src/forecast/outliers.ts';
import type { OutlierMethod } from '../../../src/forecast/outliers.ts';

const of = (...values: number[]): Float64Array => Float64Array.of(...values);
const season = 1;

describe('fences', () => {
  // Sorted 1 2 3 4 5 6 7 100: median 4.5, deviations .5 .5 1.5 1.5 2.5 2.5 3.5 95.5, MAD 2; quartiles 2.75 and 6.25.
  const values = of(3, 1, 2, NaN, 100, 4, 7, 5, 6);

  it('of the robust Z-score', () => {
    const { low, high } = robustZScore(values, { season });
    expect(high[0]).toBeCloseTo(4.5 + 3.5 * 1.4826 * 2, 12);
    expect(low[0]).toBeCloseTo(4.5 - 3.5 * 1.4826 * 2, 12);
    expect(outlierSteps(values, { low, high })).toEqual([4]);
  });

  it('of the quartiles', () => {
    const { low, high } = interquartileRange(values, { season });
    expect([low[0], high[0]]).toEqual([2.75 - 3 * 3.5, 6.25 + 3 * 3.5]);
  });

  it('of the Hampel filter: median and MAD of 5 steps on either side', () => {
    const { low, high } = hampel(of(50, 3, 1, 2, 4, 3, 100, 2, 5, 4, 1, 3, 50), { season });
    // Around step 6: 3 1 2 4 3 100 2 5 4 1 3, sorted 1 1 2 2 3 3 3 4 4 5 100: median 3, MAD 1.
    expect(high[6]).toBeCloseTo(3 + 3 * 1.4826, 12);
    expect(low[6]).toBeCloseTo(3 - 3 * 1.4826, 12);
  });

  it('of the Hampel filter compare a weekday with its like', () => {
    const days = Float64Array.from({ length: 84 }, (_, day) => (day % 7 === 5 ? 300 : 10) + ((day * 37) % 5) + Math.floor(day / 7) % 3);
    expect(outlierSteps(days, hampel(days, { season: 7 }))).toEqual([]);
    // Usual on that other weekday.
    expect(outlierSteps(days.with(43, 300), hampel(days.with(43, 300), { season: 7 }))).toContain(43);
    expect(robustZScore(days, { season: 7 }).high[0]).toBeLessThan(300);
  });

  it('on roots see days without a sale', () => {
    const busy = Float64Array.from({ length: 60 }, (_, day) => (day === 30 ? 0 : 20 + ((day * 31) % 90)));
    expect(outlierSteps(busy, OUTLIER_DETECTORS.hampel(busy, { season }))).toEqual([]);
    expect(outlierSteps(busy, OUTLIER_DETECTORS['hampel-of-roots'](busy, { season }))).toEqual([30]);
  });
});

describe('outliers', () => {
  const values = of(1, 2, NaN, 50, 3, -40);
  const fences = { low: of(0, 0, 0, 0, 0, 0), high: of(9, 9, 9, 9, 9, 9) };

  it('are deleted, moved to the fence, or kept', () => {
    expect(treatOutliers(values, fences, 'delete')).toEqual(of(1, 2, NaN, NaN, 3, NaN));
    expect(treatOutliers(values, fences, 'winsorise')).toEqual(of(1, 2, NaN, 9, 3, 0));
    expect(treatOutliers(values, fences, 'keep')).toEqual(values);
    expect(values[3]).toBe(50);
  });
});

const METHODS = Object.keys(OUTLIER_DETECTORS) as OutlierMethod[];
const sales = fc.array(fc.option(fc.integer({ min: 0, max: 60 }), { nil: NaN, freq: 9 }), { minLength: 1, maxLength: 50 }).map((values) => Float64Array.from(values));

describe.each(METHODS)('%s', (method) => {
  const detect = OUTLIER_DETECTORS[method];
  const mark = (values: Float64Array, weekly = 7): number[] => outlierSteps(values, detect(values, { season: weekly }));

  it('marks nothing in empty, unknown, short, constant and seldom sold series', () => {
    for (const values of [of(), of(NaN, NaN), of(5), of(1, 2, 100), new Float64Array(40).fill(7), new Float64Array(90).map((_, day) => (day % 9 === 0 ? 1 : 0))]) expect(mark(values, 1)).toEqual([]);
  });

  it('does not care for scale, nor, on the values themselves, for shift', () => {
    const moves = fc.tuple(fc.integer({ min: -3, max: 6 }), method.endsWith('roots') ? fc.constant(0) : fc.integer({ min: 0, max: 512 }));
    fc.assert(fc.property(sales, moves, (values, [power, shift]) => {
      const { low, high } = detect(values, { season: 7 });
      // What lies on a fence may fall on either side of it by rounding.
      fc.pre(values.every((value, at) => !(Math.abs(value - low[at]!) < 1e-6 || Math.abs(value - high[at]!) < 1e-6)));
      expect(mark(values.map((value) => value * 4 ** power + shift))).toEqual(mark(values));
    }));
  });
});
