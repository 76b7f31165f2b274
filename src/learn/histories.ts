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
  /** Events of one session (visit, invoice) share a number; -1 where the log has none. */
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
  const keep = repeats ? [...log.item.keys()] : firstLines(log);
  const offsets = new Int32Array(log.users + 1);
  for (const row of keep) offsets[log.user[row]! + 1]!++;
  for (let user = 0; user < log.users; user++) offsets[user + 1]! += offsets[user]!;
  const rows = new Int32Array(keep.length);
  const fill = offsets.slice(0, log.users);
  for (const row of keep) rows[fill[log.user[row]!]!++] = row;
  return {
    users: log.users,
    items: log.items,
    offsets,
    item: Int32Array.from(rows, (row) => log.item[row]!),
    kind: Uint8Array.from(rows, (row) => log.kind[row]!),
    time: Float64Array.from(rows, (row) => log.time[row]!),
    price: Float32Array.from(rows, (row) => log.price[row]!),
    session: Int32Array.from(rows, (row) => log.session[row]!),
  };
}

/** The rows of the log with a time before `seconds`. */
export function logBefore(log: LogColumns, seconds: number): LogColumns {
  let end = 0;
  while (end < log.time.length && log.time[end]! < seconds) end++;
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

function firstLines(log: LogColumns): number[] {
  const seen = new Set<string>();
  const keep: number[] = [];
  for (let row = 0; row < log.item.length; row++) {
    const session = log.session[row]!;
    if (session >= 0) {
      const key = `${session} ${log.item[row]!}`;
      if (seen.has(key)) continue;
      seen.add(key);
    }
    keep.push(row);
  }
  return keep;
}
