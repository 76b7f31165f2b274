/** Reads the log that its argument names and prints what that took; bench/data.ts runs it in a process of its own. */
import { readInteractions } from '../src/cli/data.ts';

/** What one reading took. */
export interface Reading {
  readonly rows: number;
  readonly seconds: number;
  /** The most that the process had in memory at once, runtime and DuckDB included. */
  readonly peakBytes: number;
}

const start = performance.now();
const { user } = await readInteractions(process.argv[2]!);
const reading: Reading = { rows: user.length, seconds: (performance.now() - start) / 1_000, peakBytes: process.resourceUsage().maxRSS * 1_024 };
console.log(JSON.stringify(reading));
