import { RecommenderError } from '../../errors.ts';
import type { SessionItem } from './simple-ranker.ts';

/** A sparse item-to-item table in compressed rows; plain typed arrays, so that it goes into safetensors as it is. */
export interface Neighbours {
  /** [items + 1]: the row of item i is offsets[i] .. offsets[i + 1]. */
  readonly offsets: Int32Array;
  /** Neighbours of each row, strongest first; equal weights by item index. */
  readonly items: Uint16Array | Int32Array;
  /** Weight of each neighbour; counted ones are above 0. */
  readonly weights: Float32Array;
}

/** Adds to the weight of a neighbour in the row being counted. */
export type AddToRow = (neighbour: number, weight: number) => void;

/** Item indexes below this fit two bytes. */
const UINT16_ITEMS = 65_536;

/**
 * Counts a table row by row: `countRow(item, add)` adds up the weights of one item's neighbours.
 * Only one row is dense at a time, so memory is that of the result. `limit` (default all) keeps the strongest of each row.
 */
export function countNeighbours(itemCount: number, countRow: (item: number, add: AddToRow) => void, { limit = Infinity } = {}): Neighbours {
  const row = new Float64Array(itemCount);
  const touched: number[] = [];
  const add: AddToRow = (neighbour, weight) => {
    if (weight <= 0) return;
    if (row[neighbour] === 0) touched.push(neighbour);
    row[neighbour]! += weight;
  };

  return toNeighbours(itemCount, (item) => {
    countRow(item, add);
    touched.sort((a, b) => row[b]! - row[a]! || a - b);
    const items = touched.slice(0, limit);
    const weights = Float32Array.from(items, (neighbour) => row[neighbour]!);
    for (const neighbour of touched) row[neighbour] = 0;
    touched.length = 0;
    return { items, weights };
  });
}

/** The same table with at most `limit` neighbours per item: what a pack ships. */
export function truncateNeighbours({ offsets, items, weights }: Neighbours, limit: number): Neighbours {
  const itemCount = offsets.length - 1;
  return toNeighbours(itemCount, (item) => {
    const start = offsets[item]!;
    const end = Math.min(offsets[item + 1]!, start + limit);
    return { items: items.subarray(start, end), weights: weights.subarray(start, end) };
  });
}

/**
 * A table read from a pack, once its indexes are known to be sound.
 * `signed` (default false) lets weights be negative.
 * @throws RecommenderError `PACK_INVALID` when offsets do not ascend, an index is outside the catalogue or a weight is not above 0.
 */
export function parseNeighbours({ offsets, items, weights }: Neighbours, itemCount: number, { signed = false } = {}): Neighbours {
  const isFramed = offsets.length === itemCount + 1 && offsets[0] === 0 && offsets[itemCount] === items.length && items.length === weights.length;
  const isAscending = offsets.every((offset, i) => offset >= (i === 0 ? 0 : offsets[i - 1]!));
  const areKnown = items.every((item: number) => item >= 0 && item < itemCount);
  if (!isFramed || !isAscending || !areKnown || !weights.every((weight) => (signed ? Number.isFinite(weight) : weight > 0 && weight < Infinity))) {
    throw new RecommenderError('PACK_INVALID', `A table of neighbours is not one of ${itemCount} items with ${signed ? 'finite weights' : 'weights above 0'}.`);
  }
  return { offsets, items, weights };
}

/** out[neighbour] += weight · table[item, neighbour]; an item outside the table has no neighbours. */
export function addNeighbours(out: Float32Array, { offsets, items, weights }: Neighbours, item: number, weight: number): void {
  const end = offsets[item + 1] ?? 0;
  for (let k = offsets[item] ?? 0; k < end; k++) out[items[k]!]! += weight * weights[k]!;
}

/**
 * Overwrites out [items] with the neighbours of the last `last` session items; the item d steps before the newest counts
 * weight / (d + 1) ^ decay.
 */
export function scoreSession(out: Float32Array, table: Neighbours, session: readonly SessionItem[], { last, decay = 0 }: { last: number; decay?: number }): void {
  out.fill(0);
  const recent = session.slice(-last).reverse();
  recent.forEach(({ item, weight }, distance) => {
    addNeighbours(out, table, item, weight * (distance + 1) ** -decay);
  });
}

/** Joins rows into a table. */
export function toNeighbours(itemCount: number, rowOf: (item: number) => { readonly items: ArrayLike<number>; readonly weights: Float32Array }): Neighbours {
  const rows = Array.from({ length: itemCount }, (_, item) => rowOf(item));
  const offsets = new Int32Array(itemCount + 1);
  rows.forEach((row, item) => (offsets[item + 1] = offsets[item]! + row.items.length));
  const size = offsets[itemCount]!;
  const items = itemCount <= UINT16_ITEMS ? new Uint16Array(size) : new Int32Array(size);
  const weights = new Float32Array(size);
  rows.forEach((row, item) => {
    items.set(row.items, offsets[item]);
    weights.set(row.weights, offsets[item]);
  });
  return { offsets, items, weights };
}
