import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';

/** A shop's log grouped by shopper, each shopper's events in time order (and in file order at equal times). */
export interface Histories {
  readonly users: number;
  readonly items: number;
  /** First event of each user, [users + 1]. */
  readonly offsets: Int32Array;
  readonly item: Int32Array;
  /** Index into BEHAVIOUR_KINDS. */
  readonly kind: Uint8Array;
  /** Unix seconds. */
  readonly time: Float64Array;
  /** NaN where there is none. */
  readonly price: Float32Array;
  /** Events of one session (visit, invoice) share a number, from 0 without large gaps; -1 where the log has none. */
  readonly session: Int32Array;
}

/** A log's columns in time order, as the command line reads them. */
export interface LogColumns {
  readonly users: number;
  readonly items: number;
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly kind: Uint8Array;
  readonly time: Float64Array;
  readonly price: Float32Array;
  readonly session: Int32Array;
}

export const PURCHASE = BEHAVIOUR_KINDS.indexOf('purchase');
export const CART = BEHAVIOUR_KINDS.indexOf('cart');
export const VIEW = BEHAVIOUR_KINDS.indexOf('view');

/** Groups a log by user; an item that a session repeats is kept at its first line only, unless `repeats` (default false) are kept. */
export function groupByUser(log: LogColumns, { repeats = false } = {}): Histories {
  const { users, items } = log;
  const repeated = repeats ? new Uint8Array(log.item.length) : repeatedLines(log);
  const offsets = new Int32Array(users + 1);
  for (let row = 0; row < log.user.length; row++) if (repeated[row] === 0) offsets[log.user[row]! + 1]!++;
  for (let user = 0; user < users; user++) offsets[user + 1]! += offsets[user]!;
  const rows = new Int32Array(offsets[users]!);
  const next = offsets.slice(0, users);
  for (let row = 0; row < log.user.length; row++) if (repeated[row] === 0) rows[next[log.user[row]!]!++] = row;
  return {
    users,
    items,
    offsets,
    item: gather(log.item, rows),
    kind: gather(log.kind, rows),
    time: gather(log.time, rows),
    price: gather(log.price, rows),
    session: gather(log.session, rows),
  };
}

/** The rows of the log with a time before `seconds`. */
export function logBefore(log: LogColumns, seconds: number): LogColumns {
  let end = 0;
  let after = log.time.length;
  while (end < after) {
    const middle = (end + after) >>> 1;
    if (log.time[middle]! < seconds) end = middle + 1;
    else after = middle;
  }
  return {
    ...log,
    user: log.user.subarray(0, end),
    item: log.item.subarray(0, end),
    kind: log.kind.subarray(0, end),
    time: log.time.subarray(0, end),
    price: log.price.subarray(0, end),
    session: log.session.subarray(0, end),
  };
}

/**
 * Rows in the order of their group, stable: a counting sort. Groups are numbered from 0; rows of negative ones are left out.
 * @returns the rows, and `starts` [groups + 1]: where each group begins in them.
 */
export function sortByGroup(groups: Int32Array): { readonly rows: Int32Array; readonly starts: Int32Array } {
  let last = -1;
  for (let row = 0; row < groups.length; row++) last = Math.max(last, groups[row]!);
  const starts = new Int32Array(last + 2);
  for (let row = 0; row < groups.length; row++) if (groups[row]! >= 0) starts[groups[row]! + 1]!++;
  for (let group = 0; group <= last; group++) starts[group + 1]! += starts[group]!;
  const rows = new Int32Array(starts[last + 1]!);
  const next = starts.slice(0, last + 1);
  for (let row = 0; row < groups.length; row++) if (groups[row]! >= 0) rows[next[groups[row]!]!++] = row;
  return { rows, starts };
}

/** values[rows], of the same type. */
export function gather<T extends Int32Array | Uint8Array | Float32Array | Float64Array>(values: T, rows: Int32Array): T {
  const picked = values.slice(0, rows.length) as T;
  for (let at = 0; at < rows.length; at++) picked[at] = values[rows[at]!]!;
  return picked;
}

/** 1 for each row whose session had the item before, [rows]. */
function repeatedLines({ item, items, session }: LogColumns): Uint8Array {
  const repeated = new Uint8Array(item.length);
  const { rows, starts } = sortByGroup(session);
  const seenIn = new Int32Array(items).fill(-1); // the last session that had each item
  for (let group = 0; group + 1 < starts.length; group++) {
    for (let at = starts[group]!; at < starts[group + 1]!; at++) {
      const row = rows[at]!;
      if (seenIn[item[row]!] === group) repeated[row] = 1;
      seenIn[item[row]!] = group;
    }
  }
  return repeated;
}
