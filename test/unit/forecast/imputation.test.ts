import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bySeason } from '../../../src/forecast/gaps/by-season.ts';
import { IMPUTERS, imputeGaps } from '../../../src/forecast/gaps/imputers.ts';
import type { Imputer } from '../../../src/forecast/gaps/imputer.ts';
import { imputeLinear } from '../../../src/forecast/gaps/linear.ts';
import { estimateSignalToNoise, imputeLocalLevel } from '../../../src/forecast/gaps/local-level.ts';
import { imputeMovingMedian } from '../../../src/forecast/gaps/moving-median.ts';
import { imputeNaturalSpline } from '../../../src/forecast/gaps/natural-spline.ts';
import { imputeNearestSeries } from '../../../src/forecast/gaps/nearest-series.ts';

const _ = NaN;
const of = (...values: number[]): Float64Array => Float64Array.of(...values);

/** Annual flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978), as in `statsmodels.datasets.nile`. */
const NILE = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833,
  701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676,
  649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];

describe('linear', () => {
  it('draws a line, and holds the last value', () => expect(imputeLinear(of(_, 2, _, _, 8, _, _))).toEqual(of(_, 2, 4, 6, 8, 8, 8)));
});

describe('natural cubic spline', () => {
  it('is the one of scipy', () => {
    // y = np.array([3, nan, nan, 7, 4, nan, 9, 2.5, nan, nan, nan, 6]); k = ~np.isnan(y); t = np.arange(12)
    // scipy.interpolate.CubicSpline(t[k], y[k], bc_type='natural')(t[~k]), scipy 1.17.1
    const filled = imputeNaturalSpline(of(3, _, _, 7, 4, _, 9, 2.5, _, _, _, 6));
    const expected = [6.376998686415727, 8.221248358019661, 7.193207297187119, -1.6832704851202611, -1.5308805544231556, 1.5119496534855292];
    [1, 2, 5, 8, 9, 10].forEach((step, k) => expect(filled[step]).toBeCloseTo(expected[k]!, 10));
  });

  it('is a line between two values, held after the last', () => expect(imputeNaturalSpline(of(1, _, 3, _))).toEqual(of(1, 2, 3, 3)));
});

describe('moving median', () => {
  it('takes the known values at most 4 steps away', () => expect(imputeMovingMedian(of(100, 1, 2, 9, 4, _, 6, 7, 8, 3, 100))[5]).toBe(5)); // 1 2 3 4 6 7 8 9
  it('looks further where fewer than two are known', () => expect(imputeMovingMedian(of(4, 2, _, _, _, _, _, _, _))).toEqual(of(4, 2, 3, 3, 3, 3, 3, 3, 3)));
});

describe('local level', () => {
  const gappy = Float64Array.from(NILE, (flow, year) => ((year >= 20 && year < 40) || (year >= 60 && year < 80) ? NaN : flow));

  it('finds the variances and the smoothed level that statsmodels does', () => {
    // y = nile with y[20:40] = y[60:80] = nan (Durbin & Koopman 2012, §2.7)
    // r = sm.tsa.UnobservedComponents(y, 'llevel', use_exact_diffuse=True).fit(method='bfgs', maxiter=1000, gtol=1e-10), then 'nm';
    // r.params[1] / r.params[0] and r.smoothed_state[0, [20, 29, 39, 60, 70, 79]], statsmodels 0.15.0
    expect(Math.abs(estimateSignalToNoise(gappy) / 0.03831435399143822 - 1)).toBeLessThan(1e-3);
    const filled = imputeLocalLevel(gappy);
    const expected = { 20: 987.7609397251811, 29: 915.2222563499216, 39: 834.6237192663001, 60: 837.6008068986278, 70: 847.4721225844154, 79: 856.3563067016244 };
    for (const [year, level] of Object.entries(expected)) expect(Math.abs(filled[Number(year)]! - level)).toBeLessThan(0.02);
  });

  it('holds what does not change', () => expect(imputeLocalLevel(of(_, 5, 5, _, 5, _))).toEqual(of(_, 5, 5, 5, 5, 5)));
});

describe('nearest series', () => {
  const up = of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

  it('reads what a twin in other units did', () => {
    const twin = up.map((value) => 100 + 7 * value);
    const gap = up.map((value, at) => (at === 5 ? NaN : value));
    // Standardised by their own known values, the two differ by a little.
    expect(Math.abs(imputeNearestSeries(gap, { all: [gap, twin] })[5]! - 6)).toBeLessThan(0.5);
  });

  it('weights by closeness, series by series aligned at their ends', () => {
    const gap = up.map((value, at) => (at === 5 ? NaN : value));
    const longer = of(9, 9, ...up);
    expect(imputeNearestSeries(gap, { all: [gap, longer] })[5]).toBeCloseTo(imputeNearestSeries(gap, { all: [gap, longer.slice(2)] })[5]!, 0);
  });

  it('is linear where nobody knows the step, or nobody is comparable', () => {
    const gap = up.map((value, at) => (at === 5 ? NaN : value));
    expect(imputeNearestSeries(gap, { all: [gap, gap.slice()] })).toEqual(up);
    expect(imputeNearestSeries(gap, { all: [gap, of(4, 5)] })).toEqual(up);
  });
});

describe('by season', () => {
  it('compares a step with the same steps of other seasons', () => {
    const values = of(1, 10, 100, 2, _, 200, 3, 30, _);
    expect(bySeason(imputeLinear)(values, { season: 3, all: [] })).toEqual(of(1, 10, 100, 2, 20, 200, 3, 30, 200));
  });

  it('takes the whole series where the weekday is not known before', () => expect(bySeason(imputeLinear)(of(1, _, 3, 4, 5, 6), { season: 3, all: [] })[1]).toBe(2));
});

const METHODS = Object.entries(IMPUTERS) as [keyof typeof IMPUTERS, Imputer][];
const gappySeries = fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: NaN, freq: 4 }), { minLength: 1, maxLength: 40 }).map((values) => Float64Array.from(values));

describe.each(METHODS)('%s', (name, impute) => {
  const all = [of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3), of(2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5)];

  it('leaves empty, unknown and whole series, the time before the first value, and its input', () => {
    expect(impute(of(), { season: 7, all })).toEqual(of());
    expect(impute(of(_, _, _), { season: 7, all })).toEqual(of(_, _, _));
    expect(impute(of(3, 1, 2), { season: 7, all })).toEqual(of(3, 1, 2));
    const values = of(_, _, 4, _, _, 6, _);
    impute(values, { season: 7, all });
    expect(values).toEqual(of(_, _, 4, _, _, 6, _));
    expect(impute(values, { season: 7, all }).subarray(0, 3)).toEqual(of(_, _, 4));
  });

  it('fills every gap, and nothing else', () => {
    fc.assert(fc.property(gappySeries, (values) => {
      const filled = impute(values, { season: 7, all });
      const first = values.findIndex((value) => !Number.isNaN(value));
      values.forEach((value, at) => {
        if (!Number.isNaN(value)) expect(filled[at]).toBe(value);
        else expect(Number.isFinite(filled[at])).toBe(name !== 'mask' && first >= 0 && at > first);
      });
    }));
  });

  it('holds the only value', () => {
    if (name !== 'mask') expect(impute(of(_, 4, _, _), { season: 7, all: [] })).toEqual(of(_, 4, 4, 4));
  });

  it('does not care for scale and shift', () => {
    fc.assert(fc.property(gappySeries, fc.integer({ min: -3, max: 6 }), fc.integer({ min: -20, max: 200 }), (values, power, shift) => {
      const move = (value: number): number => value * 2 ** power + shift;
      const filled = impute(values, { season: 7, all }).map(move);
      impute(values.map(move), { season: 7, all: all.map((one) => one.map((value) => 3 * value + 1)) }).forEach((value, at) => {
        if (Number.isNaN(filled[at])) expect(value).toBeNaN();
        else expect(Math.abs(value - filled[at]!)).toBeLessThan(0.02 * 2 ** power);
      });
    }));
  });
});

describe('imputeGaps', () => {
  it('leaves longer gaps unknown than were measured', () => {
    const values = of(1, ...new Array<number>(8).fill(NaN), 2, ...new Array<number>(7).fill(NaN), 10);
    const [filled] = imputeGaps([values], 'linear', { season: 1 });
    expect(filled!.subarray(1, 9).every(Number.isNaN)).toBe(true);
    expect(filled!.subarray(9)).toEqual(of(2, 3, 4, 5, 6, 7, 8, 9, 10));
  });
});
