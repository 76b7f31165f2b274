/** Reads the log that its argument names, counts what training counts first, and prints what that took; bench/data.ts runs it in a process of its own. */
import { readInteractions } from '../src/cli/data.ts';
import { groupByUser, type LogColumns } from '../src/learn/histories.ts';
import { basketsOf } from '../src/learn/shop.ts';
import { columnsKey } from '../src/lib/hash.ts';
import { countCooccurrence } from '../src/rank/simple/item-knn.ts';
import { countTransitions } from '../src/rank/simple/markov.ts';
import { countSequentialRules } from '../src/rank/simple/sequential-rules.ts';

/** What one reading took. */
export interface Reading {
  readonly rows: number;
  readonly seconds: number;
  /** From columns to histories, baskets and a fingerprint. */
  readonly groupSeconds: number;
  /** From baskets to the three tables of neighbours. */
  readonly countSeconds: number;
  /** The most that the process had in memory at once while it read, runtime and DuckDB included. */
  readonly peakBytes: number;
  /** The same until all was counted. */
  readonly countedPeakBytes: number;
}

const LIMIT = 60; // neighbours an item, as in a pack

const secondsOf = (since: number): number => (performance.now() - since) / 1_000;
const peak = (): number => process.resourceUsage().maxRSS * 1_024;

let start = performance.now();
const { users, items, user, item, kind, time, session, price } = await readInteractions(process.argv[2]!);
const rows = user.length;
const read = { rows, seconds: secondsOf(start), peakBytes: peak() };

start = performance.now();
const log: LogColumns = { users: users.length, items: items.length, user, item, kind, time, session: session ?? new Int32Array(rows).fill(-1), price: price ?? new Float32Array(rows).fill(NaN) };
columnsKey([log.user, log.item, log.time]);
const { offsets } = groupByUser(log);
if (offsets.at(-1) !== rows) throw new Error(`${offsets.at(-1)} of ${rows} rows are in histories.`);
const baskets = basketsOf(log);
const groupSeconds = secondsOf(start);

start = performance.now();
for (const count of [countTransitions, countSequentialRules, countCooccurrence]) count(baskets, items.length, { limit: LIMIT });
const reading: Reading = { ...read, groupSeconds, countSeconds: secondsOf(start), countedPeakBytes: peak() };
console.log(JSON.stringify(reading));
