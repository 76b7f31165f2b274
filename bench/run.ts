/** npm run bench -- NAME [--json FILE]: runs one bench, prints its tables and writes its report. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, formatCells, formatRows, type Bench, type BenchReport } from './harness.ts';

const BENCHES: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Bench> }>> = {
  sizes: {
    about: 'gzip bytes of what a shopper downloads; writes the README’s table',
    load: async () => (await import('./sizes.ts')).sizes,
  },
  quality: {
    about: 'does it help? Online Retail, our rankers beside all simple ones; writes the README’s table (BENCH_INVOICES, default 1,000)',
    load: async () => (await import('./quality.ts')).quality,
  },
  demand: {
    about: 'next week’s sales on Online Retail, the demand LSTM beside last value, 4-week mean and seasonal naive (minutes: it trains)',
    load: async () => (await import('./demand.ts')).demand,
  },
  rerank: {
    about: 'milliseconds page to page in Chromium for 10, 100 and 500 candidates, cached and cold',
    load: async () => (await import('./rerank.ts')).rerank,
  },
};

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const bench = BENCHES[positionals[0] ?? ''];
if (bench) {
  const run = await bench.load();
  const report: BenchReport = { machine: describeMachine(), ...(await run()) };
  if (report.rows.length > 0) console.log(`\n${formatRows(report.rows)}`);
  if (report.tables.length > 0) console.log(`\n${formatCells(report.tables)}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (report.rows.some(({ ok }) => ok === false)) process.exitCode = 1;
} else {
  console.error('npm run bench -- NAME [--json FILE], where NAME is one of:');
  for (const [name, { about }] of Object.entries(BENCHES)) console.error(`  ${name.padEnd(8)} ${about}`);
  process.exitCode = 2;
}
