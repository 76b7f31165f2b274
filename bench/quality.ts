import { existsSync } from 'node:fs';
import { runTrain } from '../src/cli/train.ts';
import { DEPTH, METRICS } from '../src/evaluate/metrics.ts';
import type { Part } from '../src/learn/recommender-training.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { formatMarkdownTable, writeReadmeBlock } from './readme.ts';
import { compareInChromium } from './quality/in-chromium.ts';
import { loadQualityData } from './quality/protocol.ts';
import { engineRanker, packModels, shippedRankers } from './quality/rankers.ts';
import { ONLINE_RETAIL, ONLINE_RETAIL_WORKING } from './quality/online-retail.ts';
import { judgeTasks } from './quality/tasks.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const SEED = 1;
const CHROMIUM_INVOICES = 50;
const DEFAULT_INVOICES = 1_000;
const PARTS: readonly Part[] = ['lstm', 'text', 'demand'];

/**
 * Does it help? On Online Retail from 2011-11-01: (a) the next item in the basket, among the whole catalogue; (b) the rest of
 * the invoice, among the 100 candidates of the demo's server. `BENCH_INVOICES` sets how many invoices are drawn
 * (default 1,000), `BENCH_WITHOUT` which parts are left out in turn (default lstm,text,demand).
 */
export const quality: Bench = async () => {
  const data = await loadQualityData(Number(process.env.BENCH_INVOICES ?? DEFAULT_INVOICES), SEED);
  const sample = `${data.invoices.length} of ${data.eligible} test invoices of customers with an earlier one, drawn with seed ${SEED}.`;
  console.log(sample);
  const ablations = (process.env.BENCH_WITHOUT ?? PARTS.join()).split(',');
  const rankers = await shippedRankers(data);
  for (const part of PARTS.filter((name) => ablations.includes(name))) {
    const folder = await trainWithout(part);
    const models = await packModels(folder);
    await models.vectors.enqueue(data.products.map(({ title }) => title));
    rankers.push(engineRanker(`full without ${part === 'lstm' ? 'LSTM' : part}`, folder, models, data.products));
  }
  const tables = await judgeTasks(data, rankers, (cells) => console.log(readmeTable(cells))); // at once, since the next task takes as long again
  const { same, compared } = await compareInChromium(data, rankers.find(({ name }) => name === 'full')!, CHROMIUM_INVOICES);
  console.log(`in Chromium: the first ${DEPTH} places are the same in ${same} of ${compared} invoices of (b)`);
  await writeReadmeBlock('quality', `${sample}\n\n${readmeTable(tables)}\n\nIn Chromium the first ${DEPTH} places are the same in ${same} of ${compared} invoices of (b).`);
  const share = same / compared;
  return { rows: [], tables: [...tables, { task: '(b) in Chromium', ranker: 'full', metric: 'same places', value: share, low: share, high: share, n: compared }] };
};

/** The pack with one part left out and its head trained again; kept in build/, made where it is not there. */
async function trainWithout(part: Part): Promise<string> {
  const folder = `${ROOT}build/without-${part}`;
  if (!existsSync(`${folder}/pack.json`)) {
    console.log(`training without ${part} …`);
    await runTrain({ ...ONLINE_RETAIL, out: folder, name: `without-${part}`, without: [part], resume: true, reuse: ONLINE_RETAIL_WORKING }, console.log);
  }
  return folder;
}

function readmeTable(cells: readonly BenchTableCell[]): string {
  const columns = [...METRICS, 'coverage@10'];
  return [...new Set(cells.map(({ task }) => task))]
    .map((task) => {
      const own = cells.filter((cell) => cell.task === task);
      const rankers = [...new Set(own.map(({ ranker }) => ranker))];
      const cellOf = (ranker: string, metric: string): string => {
        const cell = own.find((one) => one.ranker === ranker && one.metric === metric);
        if (!cell) return '';
        return metric === 'coverage@10' ? cell.value.toFixed(3) : `${cell.value.toFixed(4)} [${cell.low.toFixed(4)}, ${cell.high.toFixed(4)}]`;
      };
      const absolute = rankers.filter((ranker) => !ranker.includes(' - '));
      const paired = rankers.filter((ranker) => ranker.includes(' - '));
      const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
      const relative = (ranker: string): string => {
        const cell = own.find((one) => one.ranker === ranker && one.metric === 'relative')!;
        return `${percent(cell.value)} [${percent(cell.low)}, ${percent(cell.high)}]`;
      };
      return [
        `**${task}**, ${own[0]!.n} queries, 95 % intervals over customers:`,
        '',
        formatMarkdownTable(['ranker', ...columns], absolute.map((ranker) => [ranker, ...columns.map((metric) => cellOf(ranker, metric))])),
        '',
        formatMarkdownTable(['paired difference', 'NDCG@10', 'relative'], paired.map((ranker) => [ranker, cellOf(ranker, 'ndcg@10'), relative(ranker)])),
      ].join('\n');
    })
    .join('\n\n');
}
