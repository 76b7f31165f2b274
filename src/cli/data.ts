import { RecommenderError } from '../errors.ts';
import { stableOrder } from './stable-order.ts';
import { readTable, type CodedColumn } from './table.ts';

/** A behaviour log as columns, in time order; rows of equal time keep the file's order. */
export interface Interactions {
  /** Dictionary of `user`, in order of first appearance. */
  readonly users: readonly string[];
  /** Dictionary of `item`, in order of first appearance. */
  readonly items: readonly string[];
  /** Dictionary of `kind`; `view` alone where the file has no `event` column. */
  readonly kinds: readonly string[];
  /** [rows] indexes into `users`. */
  readonly user: Int32Array;
  /** [rows] indexes into `items`. */
  readonly item: Int32Array;
  /** [rows] in the unit of `clock`. */
  readonly time: Float64Array;
  /** `seconds` since 1970; `position` in the user's own sequence where the file has no complete `timestamp`. */
  readonly clock: 'seconds' | 'position';
  /** [rows] indexes into `kinds`. */
  readonly kind: Uint8Array;
  /** [rows] numbers of sessions (an invoice, a visit), from 0 in order of first appearance; -1 without one. */
  readonly session: Int32Array | null;
  /** [rows] in the shop's own currency; NaN where unknown. */
  readonly price: Float32Array | null;
  /** [rows] units; NaN where unknown. */
  readonly quantity: Float32Array | null;
  /** [rows] in the shop's own scale; NaN where unknown. */
  readonly rating: Float32Array | null;
  /** [rows] indexes into `SPLITS`: which part of the data each row belongs to, where the file says so. */
  readonly split: Uint8Array | null;
  /** [rows] where each row stands in the file, from 0; null where the file is in time order already. */
  readonly fileRow: Int32Array | null;
}

/** The parts that a log may be divided into by its `split` column. */
export const SPLITS = ['train', 'validation', 'test'] as const;

export interface ReadOptions {
  /** The events that a log may have. Default: any. */
  readonly events?: readonly string[];
}

/** A catalogue as columns, in the file's order. */
export interface CatalogueItems {
  readonly ids: string[];
  readonly titles: string[];
  /** In the shop's own currency; NaN where unknown. */
  readonly price: Float32Array;
  /** '' where unknown. */
  readonly category: string[];
}

/** Item series as rows, in the file's order. */
export interface SeriesRows {
  readonly items: readonly string[];
  /** [rows] indexes into `items`. */
  readonly item: Int32Array;
  /** Distinct dates as in the file, for instance 2011-03-28. */
  readonly dates: readonly string[];
  /** [rows] indexes into `dates`. */
  readonly date: Int32Array;
  /** [rows] NaN where unknown. */
  readonly value: Float64Array;
  /** `INVALID_DATA` with the row's line. */
  readonly faultAt: (row: number, column: 'item' | 'date' | 'value', advice: string) => Promise<RecommenderError>;
}

/**
 * Reads a behaviour log: `user,item` with `timestamp` (Unix seconds) or `pos`, optional `event,qty,price,rating,session,split`.
 * Where both times are complete, `pos` orders the rows of one second.
 * @throws RecommenderError `INVALID_DATA` with file, line and column; `PEER_MISSING` without DuckDB.
 */
export async function readInteractions(path: string, { events }: ReadOptions = {}): Promise<Interactions> {
  const { rows, columns, faultAt } = await readTable(path, {
    user: 'id',
    item: 'id',
    timestamp: 'seconds?',
    pos: 'number?',
    event: 'id?',
    qty: 'float?',
    price: 'float?',
    rating: 'float?',
    session: 'id?',
    split: 'id?',
  });
  if (rows === 0) throw new RecommenderError('INVALID_DATA', `${path}: no rows behind the header; export the log again.`);
  const { time, clock, order } = await readClock(path, { columns, faultAt });
  if (columns.event && events) await indexesIn(events, columns.event, (row, advice) => faultAt(row, 'event', advice));
  const split = columns.split && (await indexesIn(SPLITS, columns.split, (row, advice) => faultAt(row, 'split', advice)));
  const kind = columns.event ? inOrder(columns.event, order) : { values: ['view'], codes: new Int32Array(rows) };
  if (kind.values.length > MAX_KINDS) throw new RecommenderError('INVALID_DATA', `${path}: column "event" has ${kind.values.length} different values, not kinds of behaviour; rename it.`);
  const user = inOrder(columns.user, order);
  const item = inOrder(columns.item, order);
  return {
    users: user.values,
    items: item.values,
    kinds: kind.values,
    user: user.codes,
    item: item.codes,
    time: picked(time, order),
    clock,
    kind: Uint8Array.from(kind.codes),
    session: columns.session && withoutEmpty(inOrder(columns.session, order)),
    price: columns.price && picked(columns.price, order),
    quantity: columns.qty && picked(columns.qty, order),
    rating: columns.rating && picked(columns.rating, order),
    split: split && Uint8Array.from(picked(split, order)),
    fileRow: order,
  };
}

/**
 * Reads a catalogue: `item,title`, optional `price,category`; without titles an item has its id alone.
 * @throws RecommenderError `INVALID_DATA` with file, line and column, also for an item that stands there twice.
 */
export async function readItems(path: string): Promise<CatalogueItems> {
  const { rows, columns, faultAt } = await readTable(path, { item: 'id', title: 'text?', price: 'float?', category: 'text?' });
  if (rows === 0) throw new RecommenderError('INVALID_DATA', `${path}: no rows behind the header; export the catalogue again.`);
  const { values, codes } = columns.item;
  if (values.length < rows) throw await faultAt(codes.findIndex((code, row) => code !== row), 'item', 'it stands there before; keep one line for each item.');
  return {
    ids: [...values],
    titles: columns.title ?? new Array<string>(rows).fill(''),
    price: columns.price ?? new Float32Array(rows).fill(NaN),
    category: columns.category ?? new Array<string>(rows).fill(''),
  };
}

/**
 * Reads item series: `item,date,value`.
 * @throws RecommenderError `INVALID_DATA` with file, line and column.
 */
export async function readSeries(path: string): Promise<SeriesRows> {
  const { rows, columns, faultAt } = await readTable(path, { item: 'id', date: 'id', value: 'number?' });
  if (columns.value === null) throw new RecommenderError('INVALID_DATA', `${path}: line 1: no column "value"; rename one, or add it.`);
  if (rows === 0) throw new RecommenderError('INVALID_DATA', `${path}: no rows behind the header; export the series again.`);
  return { items: columns.item.values, item: columns.item.codes, dates: columns.date.values, date: columns.date.codes, value: columns.value, faultAt };
}

/**
 * One more column of a log or a catalogue as texts, in the file's order.
 * @throws RecommenderError `INVALID_DATA`
 */
export async function readColumn(path: string, name: string): Promise<CodedColumn> {
  return (await readTable(path, { [name]: 'id?' })).columns[name] ?? { values: [], codes: new Int32Array(0) };
}

/** Kinds are kept as bytes. */
const MAX_KINDS = 256;

interface TimedTable {
  readonly columns: { readonly user: CodedColumn; readonly timestamp: Float64Array | null; readonly pos: Float64Array | null };
  readonly faultAt: (row: number, column: 'timestamp' | 'pos', advice: string) => Promise<RecommenderError>;
}

/** Public data sets often carry an empty or half-filled `timestamp` beside a complete `pos`. */
async function readClock(path: string, { columns, faultAt }: TimedTable): Promise<{ time: Float64Array; clock: Interactions['clock']; order: Int32Array | null }> {
  const { timestamp, pos } = columns;
  if (!timestamp && !pos) throw new RecommenderError('INVALID_DATA', `${path}: line 1: no column "timestamp" or "pos"; add Unix seconds, or each row's position in its user's sequence.`);
  const before = pos ? pos.findIndex((value) => value < 0) : -1;
  if (before >= 0) throw await faultAt(before, 'pos', 'count positions from 0.');
  const [complete, spare] = [timestamp, pos].filter((column) => column?.every((value) => !Number.isNaN(value)) === true);
  if (!complete) {
    const name = timestamp ? 'timestamp' : 'pos';
    throw await faultAt((timestamp ?? pos)!.findIndex((value) => Number.isNaN(value)), name, `fill "timestamp" or "pos" in every line.`);
  }
  const order = stableOrder(complete, ...(spare ? [spare] : []));
  if (spare) await checkPositions(columns.user, spare, order, faultAt);
  return { time: complete, clock: complete === timestamp ? 'seconds' : 'position', order };
}

/** Two clocks must tell one order: which of them is wrong, only the shop can know. */
async function checkPositions({ values, codes }: CodedColumn, pos: Float64Array, order: Int32Array | null, faultAt: TimedTable['faultAt']): Promise<void> {
  const last = new Float64Array(values.length);
  for (let at = 0; at < codes.length; at++) {
    const row = order ? order[at]! : at;
    const user = codes[row]!;
    if (pos[row]! < last[user]!) throw await faultAt(row, 'pos', `"timestamp" puts it behind position ${last[user]!}; drop one of the two columns.`);
    last[user] = pos[row]!;
  }
}

/** A column's codes as indexes into the known values. */
async function indexesIn(known: readonly string[], { values, codes }: CodedColumn, faultAt: (row: number, advice: string) => Promise<RecommenderError>): Promise<Int32Array> {
  const indexes = values.map((value) => known.indexOf(value));
  const unknown = indexes.indexOf(-1);
  if (unknown >= 0) throw await faultAt(codes.indexOf(unknown), `known are ${known.join(', ')}.`);
  return codes.map((code) => indexes[code]!);
}

/** A column in another order of rows, numbered by first appearance there. */
function inOrder({ values, codes }: CodedColumn, order: Int32Array | null): CodedColumn {
  if (!order) return { values, codes };
  const moved = picked(codes, order);
  const codeOf = new Int32Array(values.length).fill(-1);
  const found: string[] = [];
  for (let at = 0; at < moved.length; at++) {
    const code = moved[at]!;
    if (codeOf[code]! < 0) codeOf[code] = found.push(values[code]!) - 1;
    moved[at] = codeOf[code]!;
  }
  return { values: found, codes: moved };
}

function picked<T extends Float64Array | Float32Array | Int32Array>(column: T, order: Int32Array | null): T {
  if (!order) return column;
  const moved = column.slice() as T;
  for (let at = 0; at < moved.length; at++) moved[at] = column[order[at]!]!;
  return moved;
}

/** Codes with the empty value taken out: -1 there, the others still dense from 0. */
function withoutEmpty({ values, codes }: CodedColumn): Int32Array {
  const empty = values.indexOf('');
  if (empty < 0) return codes;
  return codes.map((code) => (code === empty ? -1 : code > empty ? code - 1 : code));
}
