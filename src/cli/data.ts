import { readTable } from './table.ts';
import { RecommenderError } from '../errors.ts';

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
  /** [rows] Unix seconds, or the position in the user's sequence where the file has `pos` alone. */
  readonly time: Float64Array;
  /** [rows] indexes into `kinds`. */
  readonly kind: Uint8Array;
  /** [rows] numbers of sessions (an invoice, a visit), from 0 in order of first appearance; -1 without one. */
  readonly session: Int32Array | null;
  /** [rows] in the shop's own currency; NaN where unknown. */
  readonly price: Float32Array | null;
  /** [rows] units; NaN where unknown. */
  readonly quantity: Float32Array | null;
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
  /** [rows] as in the file, for instance 2011-03-28. */
  readonly date: readonly string[];
  /** [rows] NaN where unknown. */
  readonly value: Float64Array;
}

/**
 * Reads a behaviour log: `user,item` with `timestamp` (Unix seconds) or `pos`, optional `event,qty,price,session`.
 * @throws RecommenderError `INVALID_DATA` with file, line and column.
 */
export async function readInteractions(path: string): Promise<Interactions> {
  const { rows, columns } = await readTable(path, {
    user: 'text',
    item: 'text',
    timestamp: 'number?',
    pos: 'number?',
    event: 'text?',
    qty: 'number?',
    price: 'number?',
    session: 'text?',
  });
  const time = chooseTime(path, rows, columns.timestamp, columns.pos);
  const order = timeOrder(time);
  const user = encodeDictionary(columns.user, order);
  const item = encodeDictionary(columns.item, order);
  const kind = encodeDictionary(columns.event ?? new Array<string>(rows).fill('view'), order);
  const session = columns.session && encodeDictionary(columns.session, order);
  return {
    users: user.values,
    items: item.values,
    kinds: kind.values,
    user: user.codes,
    item: item.codes,
    time: Float64Array.from(order, (row) => time[row]!),
    kind: Uint8Array.from(kind.codes),
    session: session && withoutEmpty(session),
    price: columns.price && Float32Array.from(order, (row) => columns.price![row]!),
    quantity: columns.qty && Float32Array.from(order, (row) => columns.qty![row]!),
  };
}

/**
 * Reads a catalogue: `item,title`, optional `price,category`.
 * @throws RecommenderError `INVALID_DATA` with file, line and column.
 */
export async function readItems(path: string): Promise<CatalogueItems> {
  const { rows, columns } = await readTable(path, { item: 'text', title: 'text?', price: 'number?', category: 'text?' });
  return {
    ids: columns.item,
    titles: columns.title ?? new Array<string>(rows).fill(''),
    price: columns.price ? Float32Array.from(columns.price) : new Float32Array(rows).fill(NaN),
    category: columns.category ?? new Array<string>(rows).fill(''),
  };
}

/**
 * Reads item series: `item,date,value`.
 * @throws RecommenderError `INVALID_DATA` with file, line and column.
 */
export async function readSeries(path: string): Promise<SeriesRows> {
  const { columns } = await readTable(path, { item: 'text', date: 'text', value: 'number?' });
  if (columns.value === null) throw new RecommenderError('INVALID_DATA', `${path}: line 1: no column "value".`);
  const item = encodeDictionary(columns.item, fileOrder(columns.item.length));
  return { items: item.values, item: item.codes, date: columns.date, value: columns.value };
}

/** Public data sets often carry an empty `timestamp` beside a filled `pos`. */
function chooseTime(path: string, rows: number, timestamp: Float64Array | null, pos: Float64Array | null): Float64Array {
  const time = timestamp && (pos === null || timestamp.some((value) => !Number.isNaN(value))) ? timestamp : pos;
  if (!time) throw new RecommenderError('INVALID_DATA', `${path}: line 1: no column "timestamp" or "pos".`);
  const empty = time.findIndex((value) => !Number.isFinite(value));
  if (empty >= 0 && empty < rows) {
    const name = time === timestamp ? 'timestamp' : 'pos';
    throw new RecommenderError('INVALID_DATA', `${path}: line ${empty + 2}: column "${name}" is empty or not finite.`);
  }
  return time;
}

/** Row numbers by time; sorting is stable, so the lines of one invoice stay in the file's order. */
function timeOrder(time: Float64Array): Int32Array {
  const order = fileOrder(time.length);
  const sorted = time.every((value, i) => i === 0 || time[i - 1]! <= value);
  return sorted ? order : order.sort((a, b) => time[a]! - time[b]!);
}

const fileOrder = (rows: number): Int32Array => Int32Array.from({ length: rows }, (_, row) => row);

interface Dictionary {
  /** Distinct values in order of first appearance. */
  readonly values: string[];
  /** [rows] indexes into `values`. */
  readonly codes: Int32Array;
}

function encodeDictionary(column: readonly string[], order: Int32Array): Dictionary {
  const codeOf = new Map<string, number>();
  const codes = order.map((row) => {
    const value = column[row]!;
    const known = codeOf.get(value);
    if (known !== undefined) return known;
    codeOf.set(value, codeOf.size);
    return codeOf.size - 1;
  });
  return { values: [...codeOf.keys()], codes };
}

/** Codes with the empty value taken out: -1 there, the others still dense from 0. */
function withoutEmpty({ values, codes }: Dictionary): Int32Array {
  const empty = values.indexOf('');
  if (empty < 0) return codes;
  return codes.map((code) => (code === empty ? -1 : code > empty ? code - 1 : code));
}
