import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DuckDBConnection } from '@duckdb/node-api';
import type { Reading } from './data-reader.ts';
import { summarise, type BenchResult } from './harness.ts';

const MILLIONS = [1, 10] as const;
const FORMATS = ['csv', 'parquet'] as const;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** The columns of a row take some 30 bytes, and twice that while they are put in order of time; an object would take hundreds. */
const MOST_BYTES_PER_ROW = 100;
/** Histories are the columns once more, baskets and their numbers some 30 bytes. */
const MOST_BYTES_COUNTED = 160;

/** Reading a synthetic log and counting what training counts first: 20 rows a shopper, 50,000 items, not in order of time; each reading has a process of its own. */
export async function data(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'shelfwise-data-'));
  try {
    return { rows: await measure(folder), tables: [] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<BenchResult['rows']> {
  const rows: BenchResult['rows'][number][] = [];
  for (const format of FORMATS) {
    const rounds = new Map<number, Reading[]>();
    for (const millions of MILLIONS) {
      const path = join(folder, `${millions}.${format}`);
      await writeLog(path, millions * 1e6);
      const readings: Reading[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        console.log(`${format}, ${millions} million rows, round ${round + 1} of ${ROUNDS} …`);
        readings.push(await readElsewhere(path));
      }
      await rm(path);
      rounds.set(millions, readings);
      const name = `${format}, ${millions} million rows`;
      rows.push(summarise({ name: `${name}: speed`, unit: 'rows/s', ours: readings.map(({ rows: read, seconds }) => read / seconds) }));
      rows.push(summarise({ name: `${name}: peak memory of the process`, unit: 'MB', ours: readings.map(({ peakBytes }) => peakBytes / 1e6) }));
      rows.push(summarise({ name: `${name}: to histories and baskets`, unit: 'rows/s', ours: readings.map(({ rows: read, groupSeconds }) => read / groupSeconds) }));
      rows.push(summarise({ name: `${name}: to counted tables`, unit: 'rows/s', ours: readings.map(({ rows: read, countSeconds }) => read / countSeconds) }));
      rows.push(summarise({ name: `${name}: peak memory until all is counted`, unit: 'MB', ours: readings.map(({ countedPeakBytes }) => countedPeakBytes / 1e6) }));
    }
    const [few, many] = MILLIONS.map((millions) => rounds.get(millions)!);
    const growth = (bytesOf: (reading: Reading) => number): number[] => many!.map((reading, round) => (bytesOf(reading) - bytesOf(few![round]!)) / (reading.rows - few![round]!.rows));
    rows.push(summarise({ name: `${format}: peak memory for each further row`, unit: 'bytes', ours: growth(({ peakBytes }) => peakBytes), goal: MOST_BYTES_PER_ROW }));
    rows.push(summarise({ name: `${format}: the same until all is counted`, unit: 'bytes', ours: growth(({ countedPeakBytes }) => countedPeakBytes), goal: MOST_BYTES_COUNTED }));
  }
  return rows;
}

async function writeLog(path: string, rows: number): Promise<void> {
  const connection = await DuckDBConnection.create();
  await connection.run(
    `COPY (SELECT 'user' || hash(i) % ${rows / 20} AS "user", 'item' || hash(i + 7) % 50000 AS item, 1500000000 + hash(i + 9) % 100000000 AS "timestamp",
      CASE WHEN i % 5 = 0 THEN 'purchase' ELSE 'view' END AS event, round(hash(i + 11) % 10000 / 100, 2) AS price FROM range(${rows}) AS log(i)) TO '${path}'`,
  );
  connection.closeSync();
}

/** In a process of its own, so that its peak is this reading's. */
async function readElsewhere(path: string): Promise<Reading> {
  const reader = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('data-reader.ts', import.meta.url)), path], { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await json(reader.stdout)) as Reading;
}
