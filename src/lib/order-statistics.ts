/** Linear between order statistics of ascending values (Hyndman & Fan 1996, "Sample quantiles in statistical packages", definition 7); NaN of nothing. */
export function quantileOf(sorted: ArrayLike<number>, level: number): number {
  const place = (sorted.length - 1) * level;
  const [below, above] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return below + (above - below) * (place - Math.floor(place));
}

/** The middle one of values in any order, the mean of the two middle ones where their number is even; NaN of nothing. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
