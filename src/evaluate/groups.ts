/** Targets by a property of them. */
export interface QueryGroups {
  readonly by: string;
  /** In their natural order, else largest first. */
  readonly labels: readonly string[];
  /** [queries] indexes into `labels`; -1 for none. */
  readonly of: Int32Array;
}

/** Built-in groupings: events known before the target, and how often its item was seen before the test. */
export const BUILT_IN_GROUPINGS = ['history', 'popularity'] as const;

const HISTORY_BOUNDS = [2, 5, 10, 20, 50, 200];
const QUARTERS = 4;
/** More values than this are no groups a person can read; the rest is one group. */
const MOST_GROUPS = 20;
export const OTHER_GROUP = '(other)';
export const EMPTY_GROUP = '(empty)';

/** By how many events are known, from 1. */
export function groupByHistory(events: Int32Array): QueryGroups {
  return byBounds('history', events, HISTORY_BOUNDS, 1);
}

/** Quarters of the targets, by how often their items were seen before the test; never seen is a group of its own. */
export function groupByPopularity(counts: ArrayLike<number>): QueryGroups {
  const values = Float64Array.from(counts);
  return byBounds('popularity', values, [1, ...quarterBounds(values.filter((count) => count > 0)).filter((bound) => bound > 1)], 0);
}

/** By a column's text, the most frequent values; numbers of many values by their quarters. */
export function groupByText(by: string, texts: readonly string[]): QueryGroups {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  if (counts.size > MOST_GROUPS && [...counts.keys()].every((text) => text === '' || Number.isFinite(Number(text)))) return byQuarters(by, texts);
  const sorted = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1));
  const shown = counts.size <= MOST_GROUPS ? sorted : sorted.slice(0, MOST_GROUPS - 1);
  const place = new Map(shown.map((text, group) => [text, group]));
  const labels = shown.map((text) => (text === '' ? EMPTY_GROUP : text));
  if (shown.length < sorted.length) labels.push(OTHER_GROUP);
  return { by, labels, of: Int32Array.from(texts, (text) => place.get(text) ?? shown.length) };
}

function byQuarters(by: string, texts: readonly string[]): QueryGroups {
  const values = Float64Array.from(texts, (text) => (text === '' ? NaN : Number(text)));
  const known = values.filter((value) => !Number.isNaN(value));
  const bounds = quarterBounds(known);
  const lowest = known.reduce((least, value) => Math.min(least, value), Infinity);
  const labels = [lowest, ...bounds].map((low, at) => (bounds[at] === undefined ? `${low} or more` : `${low} to below ${bounds[at]}`));
  return { by, labels: [...labels, EMPTY_GROUP], of: Int32Array.from(values, (value) => (Number.isNaN(value) ? labels.length : bounds.filter((bound) => value >= bound).length)) };
}

/** Values between quarters, each once, none of them the least. */
function quarterBounds(values: Float64Array): number[] {
  const sorted = values.slice().sort();
  const bounds = Array.from({ length: QUARTERS - 1 }, (_, quarter) => sorted[Math.floor(((quarter + 1) * sorted.length) / QUARTERS)]!);
  return [...new Set(bounds)].filter((bound) => bound > sorted[0]!);
}

/** `1`, `2–4` … `200+` of whole numbers. */
function byBounds(by: string, values: ArrayLike<number>, bounds: readonly number[], lowest: number): QueryGroups {
  const labels = [lowest, ...bounds].map((low, at) => {
    const next = bounds[at];
    return next === undefined ? `${low}+` : next - 1 === low ? String(low) : `${low}–${next - 1}`;
  });
  return { by, labels, of: Int32Array.from(values, (value) => bounds.filter((bound) => value >= bound).length) };
}
