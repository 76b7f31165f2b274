import type { Baskets } from '../rank/simple/baskets.ts';
import type { DividedRows } from './protocol.ts';
import type { EvaluationLog } from './query.ts';

/**
 * The rows of a log that lie before the test, as baskets: a session each, in order of time. An item that a session repeats is kept once
 * where rankings leave the session's items out. For `leave-one-out` all baskets are of one time, since nothing there is older than another.
 */
export function basketsOfRows(log: EvaluationLog, { session, protocol, leavesOutSession }: DividedRows, rows: Int32Array): Baskets {
  let sessions = 0;
  for (const row of rows) sessions = Math.max(sessions, session[row]! + 1);
  const first = new Int32Array(sessions).fill(-1);
  const sizes = new Int32Array(sessions);
  for (const row of rows) {
    if (first[session[row]!]! < 0) first[session[row]!] = row;
    sizes[session[row]!]!++;
  }
  // Rows are in time order, so the first row tells the order of sessions; positions tell none between shoppers: there numbers do.
  const order = Int32Array.from({ length: sessions }, (_, at) => at).filter((at) => sizes[at]! > 0);
  if (log.clock === 'seconds') order.sort((a, b) => first[a]! - first[b]!);
  const starts = new Int32Array(sessions);
  let total = 0;
  for (const at of order) {
    starts[at] = total;
    total += sizes[at]!;
  }
  const items = new Int32Array(total);
  const filled = starts.slice();
  for (const row of rows) items[filled[session[row]!]!++] = log.item[row]!;

  const kept = new Int32Array(total);
  const offsets = new Int32Array(order.length + 1);
  const lastBasket = leavesOutSession ? new Int32Array(log.items).fill(-1) : null;
  let size = 0;
  order.forEach((at, basket) => {
    for (const item of items.subarray(starts[at], starts[at]! + sizes[at]!)) {
      if (lastBasket?.[item] === basket) continue;
      if (lastBasket) lastBasket[item] = basket;
      kept[size++] = item;
    }
    offsets[basket + 1] = size;
  });
  const timeOf = (at: number): number => (protocol === 'leave-one-out' ? 0 : log.clock === 'seconds' ? log.time[first[at]!]! : at);
  return { items: kept.slice(0, size), offsets, time: Float64Array.from(order, timeOf), user: Int32Array.from(order, (at) => log.user[first[at]!]!) };
}

/** Every row a basket of its own, for what was popular as of a moment. */
export function rowBaskets(log: EvaluationLog, rows: Int32Array): Baskets {
  return {
    items: Int32Array.from(rows, (row) => log.item[row]!),
    offsets: Int32Array.from({ length: rows.length + 1 }, (_, at) => at),
    time: Float64Array.from(rows, (row) => log.time[row]!),
    user: Int32Array.from(rows, (row) => log.user[row]!),
  };
}
