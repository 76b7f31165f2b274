/** npm run bench -- NAME [--json FILE]: runs one bench or all, prints the tables and writes reports. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeMachine, formatCells, formatRows, type Bench, type BenchReport, type BenchResult } from './harness.ts';
import { writeResults, type BenchReports } from './results.ts';

interface Named {
  readonly about: string;
  readonly load: () => Promise<Bench>;
}

/** Speed, size and memory: what `all` runs. */
const MEASURED: Readonly<Record<string, Named>> = {
  encoder: {
    about: 'the shipped text encoder beside onnxruntime-web, transformers.js and tfjs-wasm; int8 against float32; WebGPU',
    load: async () => (await import('./encoder.ts')).encoder,
  },
  lstm: {
    about: 'LSTM 64 beside tfjs-wasm, tf.layers and onnxruntime-web; keeping the state against recomputing it; WebGPU',
    load: async () => (await import('./lstm.ts')).lstm,
  },
  score: {
    about: 'dot products and heads on 500 rows beside tfjs-wasm and onnxruntime-web; WebGPU',
    load: async () => (await import('./score.ts')).score,
  },
  rerank: {
    about: 'page to page for 10, 100 and 500 candidates: beside tfjs-wasm, cached, never seen; the main thread meanwhile',
    load: async () => (await import('./rerank.ts')).rerank,
  },
  train: {
    about: 'one training step beside tfjs-wasm, and on two threads of Node beside one',
    load: async () => (await import('./train.ts')).train,
  },
  cold: {
    about: 'first useful answer after navigation beside onnxruntime-web, tfjs-webgpu and tfjs-wasm',
    load: async () => (await import('./cold.ts')).cold,
  },
  memory: {
    about: 'what the renderer needs more with us (Linux)',
    load: async () => (await import('./memory.ts')).memory,
  },
  sizes: {
    about: 'gzip bytes of what a shopper downloads beside tfjs; writes the README’s table of sizes',
    load: async () => (await import('./sizes.ts')).sizes,
  },
  store: {
    about: 'the shopper’s database: append, read, open vectors',
    load: async () => (await import('./store.ts')).store,
  },
};

const OTHERS: Readonly<Record<string, Named>> = {
  quality: {
    about: 'does it help? Online Retail, our rankers beside all simple ones; writes the README’s table (BENCH_INVOICES, default 1,000)',
    load: async () => (await import('./quality.ts')).quality,
  },
  data: {
    about: 'reading 1 and 10 million rows of CSV and Parquet, and counting what training counts first: rows per second, peak memory of a process, bytes for each further row (minutes)',
    load: async () => (await import('./data.ts')).data,
  },
  demand: {
    about: 'sales of Online Retail’s 300 best-selling products, 14 days and 4 weeks ahead, ours beside simple methods, ETS, Theta and ARIMA (minutes: it trains); writes bench/DEMAND.md',
    load: async () => (await import('./demand.ts')).demand,
  },
  gaps: {
    about: 'imputers on hidden values and detectors of planted outliers, on daily and weekly sales of Online Retail; what they do to forecasts (minutes); writes bench/GAPS.md',
    load: async () => (await import('./gaps.ts')).gaps,
  },
  tuning: {
    about: 'fine-tuning on Online Retail: interest model whole, by LoRA and head-only; the text encoder’s last layer and LoRA, here and on another shop (many minutes; BENCH_PART=interest|encoder)',
    load: async () => (await import('./tuning.ts')).tuning,
  },
  games: {
    about: 'Amazon Games, 20 candidates: text only, with popularity, trained; a tenth of the items new (../shared/data; an hour with the LSTMs, which go on where they were stopped; a minute with BENCH_WITHOUT=lstm)',
    load: async () => (await import('./games.ts')).games,
  },
  transfer: {
    about: 'cold start by events known of the shopper: new shoppers in shops that packs know; packs on other shops, as they are and after BENCH_ROWS (5,000) rows there (../shared/data; minutes; BENCH_DATA=NAME, BENCH_USERS); writes bench/TRANSFER.md',
    load: async () => (await import('./transfer.ts')).transfer,
  },
  interest: {
    about: 'LSTM, GRU and transformer on the same sessions (../shared/data; minutes: it trains): NDCG@10, bytes, an event, an epoch (BENCH_EPOCHS, default 8)',
    load: async () => (await import('./interest.ts')).interest,
  },
  tables: {
    about: 'models beside the published tables: trains on public data (an hour each the first time, kept in .cache/bench) and evaluates; BENCH_DATA=NAME; writes bench/TABLES.md',
    load: async () => (await import('./tables.ts')).tables,
  },
  baselines: {
    about: 'the simple rankers on public data beside figures of the same methods elsewhere (../shared/data; minutes; BENCH_DATA=NAME, BENCH_STAGE=validation)',
    load: async () => (await import('./baselines.ts')).baselines,
  },
  helps: {
    about: 'what helps the interest model: distortions, title noise, contrast, adversarial inputs, pretraining, an ensemble, each beside the plain training (../shared/data; an hour, resumable; BENCH_DATA=NAME, BENCH_THREADS); writes bench/HELPS.md',
    load: async () => (await import('./helps.ts')).helps,
  },
};

/** A bench that hangs must not take the others' results with it. */
const LIMIT_MS = 300_000;

/** Every measured bench, one after the other; one that fails is named in the results, and the rest go on. */
async function runAll(): Promise<BenchResult> {
  const reports = new Map<string, BenchResult | { failure: string }>();
  for (const [name, { load }] of Object.entries(MEASURED)) {
    console.log(`\n${name}`);
    const report = await limited(load().then((bench) => bench())).catch((error: unknown) => ({ failure: firstLine(error) }));
    reports.set(name, report);
    console.log('failure' in report ? `FAILED: ${report.failure}` : formatRows(report.rows));
  }
  await writeResults(describeMachine(), reports satisfies BenchReports);
  console.log('\nbench/RESULTS.md and the README’s table are up to date.');
  const results = [...reports.values()].flatMap((report) => ('failure' in report ? [] : [report]));
  if (results.length < reports.size) process.exitCode = 1;
  return { rows: results.flatMap(({ rows }) => rows), tables: [] };
}

async function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result after ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const [name = ''] = positionals;
const bench = name === 'all' ? runAll : await { ...MEASURED, ...OTHERS }[name]?.load();
if (bench) {
  const report: BenchReport = { machine: describeMachine(), ...(await bench()) };
  if (report.rows.length > 0) console.log(`\n${formatRows(report.rows)}`);
  if (report.tables.length > 0) console.log(`\n${formatCells(report.tables)}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (report.rows.some(({ ok }) => ok === false)) process.exitCode = 1;
  // A bench that hung may have left a browser and a server behind.
  process.exit();
} else {
  console.error('npm run bench -- NAME [--json FILE], where NAME is `all` (the first nine; writes bench/RESULTS.md and the README’s table) or one of:');
  for (const [each, { about }] of Object.entries({ ...MEASURED, ...OTHERS })) console.error(`  ${each.padEnd(9)} ${about}`);
  process.exitCode = 2;
}
