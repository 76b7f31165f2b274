import { quantileOf } from '../lib/order-statistics.ts';

/** What is usual at each step: values outside are outliers. NaN bounds mark nothing. */
export interface Fences {
  /** [steps] */
  readonly low: Float64Array;
  /** [steps] */
  readonly high: Float64Array;
}

/** Draws fences from the known values (NaN is unknown); `season` is 7 for days, 1 where there is none. Pure. */
export type OutlierDetector = (values: Float64Array, options: { readonly season: number }) => Fences;

/** `delete` makes an outlier unknown, `winsorise` moves it to the fence, `keep` only marks it. */
export const OUTLIER_ACTIONS = ['delete', 'winsorise', 'keep'] as const;

export type OutlierAction = (typeof OUTLIER_ACTIONS)[number];

/** MAD of a normal distribution is σ / 1.4826. */
const MAD_TO_SIGMA = 1.4826;

/** Fewer known values have no fences: half a window of the Hampel filter and the value itself. */
const LEAST_KNOWN = 6;

/** Iglewicz & Hoaglin's cut. */
const Z_CUT = 3.5;
/** Tukey's outer fences, beyond which a value is "far out": sales have long tails, of which the inner ones (1.5) mark every tenth value. */
const IQR_CUT = 3;
/** Pearson's cut, three sigma. */
const HAMPEL_CUT = 3;
/** Steps on either side, of the same weekday where there is a season. */
const HAMPEL_REACH = 5;

/**
 * Robust Z-score: |x − median| / (1.4826 MAD) > 3.5 (Iglewicz & Hoaglin 1993, *How to Detect and Handle Outliers*, §3.2). Where more than
 * half of the values are equal, MAD is 0 and nothing is marked: of an item that seldom sells, any sale would be an outlier.
 */
export const robustZScore: OutlierDetector = (values) => {
  const known = sortedKnown(values);
  const centre = quantileOf(known, 0.5);
  return constantFences(values, centre, Z_CUT * spread(known, centre));
};

/** Beyond three interquartile ranges from the quartiles (Tukey 1977, *Exploratory Data Analysis*, §2C). */
export const interquartileRange: OutlierDetector = (values) => {
  const known = sortedKnown(values);
  const [first, third] = [quantileOf(known, 0.25), quantileOf(known, 0.75)];
  const reach = IQR_CUT * (third - first);
  const middle = (first + third) / 2;
  return constantFences(values, middle, reach > 0 ? third - middle + reach : NaN);
};

/**
 * Hampel filter: median and MAD of a window about the value (Hampel 1974; Pearson et al. 2016, *Generalized Hampel filters*, §2). The window holds
 * the 5 steps of the same weekday on either side, so that Mondays are compared with Mondays; it is cut where the series ends.
 */
export const hampel: OutlierDetector = (values, { season }) => {
  const low = new Float64Array(values.length);
  const high = new Float64Array(values.length);
  const own = new Float64Array(2 * HAMPEL_REACH + 1);
  for (let at = 0; at < values.length; at++) {
    for (let k = -HAMPEL_REACH; k <= HAMPEL_REACH; k++) own[k + HAMPEL_REACH] = values[at + k * season] ?? NaN;
    const known = sortedKnown(own);
    const centre = quantileOf(known, 0.5);
    const reach = HAMPEL_CUT * spread(known, centre);
    low[at] = centre - reach;
    high[at] = centre + reach;
  }
  return { low, high };
};

/**
 * Draws the fences on the square roots of sales (Bartlett 1936: a count's root has a variance that does not grow with it), so that a day
 * without a sale stands out as a tenfold day does. For values from 0; scale does not matter, a shift does.
 */
export function onRoots(detect: OutlierDetector): OutlierDetector {
  return (values, options) => {
    const { low, high } = detect(values.map((value) => Math.sqrt(Math.max(0, value))), options);
    // A root below 0 fences nothing off.
    return { low: low.map((root) => (root > 0 ? root ** 2 : Math.min(root, 0))), high: high.map((root) => root ** 2) };
  };
}

/** Every detector, and each on roots. */
export const OUTLIER_DETECTORS = {
  'z-score': robustZScore,
  iqr: interquartileRange,
  hampel,
  'z-score-of-roots': onRoots(robustZScore),
  'iqr-of-roots': onRoots(interquartileRange),
  'hampel-of-roots': onRoots(hampel),
} as const satisfies Readonly<Record<string, OutlierDetector>>;

export type OutlierMethod = keyof typeof OUTLIER_DETECTORS;

export const OUTLIER_METHODS = Object.keys(OUTLIER_DETECTORS) as readonly OutlierMethod[];

/**
 * The least error of forecasts after planted outliers and without any (bench/GAPS.md): against `keep` −.096 [−.109, −.083] by days, and −.019
 * [−.031, −.008] where nothing was planted. By weeks `delete` is level (−.008 [−.016, .001]). `iqr` has the better F1 by days (×10: .52, here
 * .44), and its forecasts are level.
 */
export const DEFAULT_OUTLIER_METHOD: OutlierMethod = 'hampel';
export const DEFAULT_OUTLIER_ACTION: OutlierAction = 'winsorise';

/** Steps whose values lie outside. */
export function outlierSteps(values: Float64Array, { low, high }: Fences): number[] {
  return Array.from(values.keys()).filter((step) => values[step]! < low[step]! || values[step]! > high[step]!);
}

/** The series with its outliers deleted, winsorised or kept (Tukey 1962, *The Future of Data Analysis*, §14, for winsorising). */
export function treatOutliers(values: Float64Array, fences: Fences, action: OutlierAction): Float64Array {
  const treated = values.slice();
  if (action === 'keep') return treated;
  for (const step of outlierSteps(values, fences)) {
    const fence = values[step]! > fences.high[step]! ? fences.high[step]! : fences.low[step]!;
    treated[step] = action === 'delete' ? NaN : fence;
  }
  return treated;
}

function constantFences(values: Float64Array, centre: number, reach: number): Fences {
  return { low: values.map(() => centre - reach), high: values.map(() => centre + reach) };
}

/** σ by MAD; NaN where that is 0 or known values are too few. */
function spread(known: Float64Array, centre: number): number {
  const deviations = known.map((value) => Math.abs(value - centre)).sort();
  return quantileOf(deviations, 0.5) * MAD_TO_SIGMA || NaN;
}

/** Ascending; empty where too few are known. */
function sortedKnown(values: Float64Array): Float64Array {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  return known.length < LEAST_KNOWN ? new Float64Array() : known;
}
