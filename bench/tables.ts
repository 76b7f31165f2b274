import { join } from 'node:path';
import { evaluatePack } from '../src/cli/evaluate.ts';
import type { EvaluationReport } from '../src/cli/evaluate/evaluation-report.ts';
import { createProgress } from '../src/cli/progress.ts';
import { runTrain } from '../src/cli/train.ts';
import { INTEREST_ALONE, OURS } from '../src/evaluate/pack-rankers.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';
import { hasPublicData, publicFile } from './public-data.ts';
import { AMAZON_BEAUTY_2014 } from './tables/amazon-beauty.ts';
import { AMAZON_GAMES_2018 } from './tables/amazon-games.ts';
import { DIGINETICA } from './tables/diginetica.ts';
import { formatTable, OUR_ROWS, writeSection } from './tables/format-table.ts';
import { MOVIELENS_1M } from './tables/movielens-1m.ts';
import { ONLINE_RETAIL_2011 } from './tables/online-retail.ts';
import { RSC15_100K } from './tables/rsc15-100k.ts';
import type { OwnTables, TableData } from './tables/table-data.ts';

const DATA_SETS: readonly TableData[] = [MOVIELENS_1M, AMAZON_BEAUTY_2014, DIGINETICA, RSC15_100K];
const OWN_TABLES: readonly OwnTables[] = [AMAZON_GAMES_2018, ONLINE_RETAIL_2011];

const CACHE = new URL('../.cache/bench/', import.meta.url).pathname;
const TABLES = new URL('TABLES.md', import.meta.url);
const PREAMBLE = '# Models beside the published tables\n\nWritten by `npm run bench -- tables`. All items are ranked; intervals are 95 % bootstrap intervals over users; anchors are as published, simple rankers and ours are of one run.';
const SEED = 1;

/**
 * Models beside the published tables: each public data set is trained on by `shelfwise train`, and all rankers are judged by what
 * `shelfwise evaluate` runs. Finished stages stay in .cache/bench/NAME and are taken from there; a training that was stopped goes on.
 * `BENCH_DATA` names one data set, `BENCH_USERS` asks fewer users. Amazon Games and Online Retail are judged by the benches `games` and `quality`.
 */
export const tables: Bench = async () => {
  const rows: BenchRow[] = [];
  const cells: BenchTableCell[] = [];
  for (const data of DATA_SETS.filter(isAsked)) {
    const users = process.env.BENCH_USERS === undefined ? data.users : Number(process.env.BENCH_USERS);
    const { report, trained } = await judgeData({ ...data, users });
    const section = formatTable({ ...data, users }, report, trained);
    await writeSection(TABLES, PREAMBLE, section);
    rows.push(...barRows(data, report));
    cells.push(...tableCells(data, report));
  }
  for (const data of OWN_TABLES.filter(isAsked)) {
    const own = await data.judge();
    for (const section of own.sections) await writeSection(TABLES, PREAMBLE, section);
    rows.push(...own.rows);
    cells.push(...own.tables);
  }
  return { rows, tables: cells };
};

function isAsked({ name }: { readonly name: string }): boolean {
  if ((process.env.BENCH_DATA ?? name) !== name) return false;
  if (!hasPublicData(name)) console.log(`Skipped: ${name} is not there.`);
  return hasPublicData(name);
}

/** Trains, or takes what was trained, and lets every ranker answer the test. */
async function judgeData({ name, protocol, training, users }: TableData): Promise<{ report: EvaluationReport; trained: string }> {
  const files = { interactions: publicFile(name, 'interactions'), items: publicFile(name, 'items'), protocol };
  const out = join(CACHE, name);
  const { curves, interrupted } = await runTrain({ ...files, ...training, name, out, seed: SEED, resume: true }, console.log);
  if (interrupted) throw new Error(`The training on ${name} was stopped; run the bench again to go on.`);
  const progress = createProgress(console.log);
  const report = await evaluatePack({ ...files, pack: out, seed: SEED, ...(users !== null && { limit: users }) }, progress);
  progress.done();
  const epochs = curves[0]!.epochs.filter(({ phase }) => phase === 'train').length;
  return { report, trained: `Preset ${training.preset ?? 'shop'}, ${epochs} epochs and a refit, seed ${SEED}.` };
}

function barRows({ name, metrics, bars }: TableData, report: EvaluationReport): BenchRow[] {
  return bars.flatMap(({ ranker, must, aim }) =>
    metrics.flatMap((metric, place) => {
      const goal = must[place];
      if (goal === null || goal === undefined) return [];
      const best = aim?.[place] ?? undefined;
      const ours = report.rankers[ranker === 'full ranker' ? OURS : INTEREST_ALONE]![metric];
      return [summarise({ name: `${name}: ${ranker}, ${metric}`, unit: '', ours: [ours], bound: 'least', goal, ...(best !== undefined && { aim: best }) })];
    }),
  );
}

function tableCells({ name, metrics }: TableData, report: EvaluationReport): BenchTableCell[] {
  return Object.entries(report.rankers).flatMap(([ranker, figures]) =>
    metrics.map((metric) => {
      const [low, high] = figures.ci[metric]!;
      return { task: name, ranker: OUR_ROWS[ranker] ?? ranker, metric, value: figures[metric], low, high, n: report.targets };
    }),
  );
}
