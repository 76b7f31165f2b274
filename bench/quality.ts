import { existsSync } from 'node:fs';
import { runTrain } from '../src/cli/train.ts';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { DEPTH, judge, METRICS, type Metric } from '../src/evaluate/metrics.ts';
import type { Part } from '../src/learn/recommender-training.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { formatMarkdownTable, writeReadmeBlock } from './readme.ts';
import { compareInChromium } from './quality/in-chromium.ts';
import { loadQualityData, type QualityData, type TestInvoice } from './quality/protocol.ts';
import { engineRanker, lstmRanker, packModels, serverOrder, simpleRankers, textRanker, type QualityRanker } from './quality/rankers.ts';
import { ONLINE_RETAIL, ONLINE_RETAIL_WORKING } from './quality/online-retail.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const SHIPPED = `${ROOT}models/online-retail`;
const LINES = 15; // of an invoice, in task (a)
const SESSION_LINES = 3; // of an invoice, in task (b)
const CANDIDATES = 100;
const SEED = 1;
const CHROMIUM_INVOICES = 50;
const DEFAULT_INVOICES = 1_000;
const PARTS: readonly Part[] = ['lstm', 'text', 'demand'];
const SINGLE = ['popular 7 days', 'personal frequency', 'sequential rules', 'markov', 'item-kNN', 'text only'];

/** Ranker -> metric -> one sample per query. */
type Results = Map<string, Map<Metric, Sample[]>>;

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
  const full = await packModels(SHIPPED);
  await full.vectors.enqueue(data.products.map(({ title }) => title));
  const rankers = [
    ...simpleRankers(data),
    textRanker(full, data.products),
    lstmRanker(SHIPPED, full, data.products),
    engineRanker('full', SHIPPED, full, data.products),
  ];
  for (const part of PARTS.filter((name) => ablations.includes(name))) {
    const folder = await trainWithout(part);
    const models = await packModels(folder);
    await models.vectors.enqueue(data.products.map(({ title }) => title));
    rankers.push(engineRanker(`full without ${part === 'lstm' ? 'LSTM' : part}`, folder, models, data.products));
  }
  const tables = [
    ...(await runTask('(a) next item in the basket', data, rankers, nextItemQueries)),
    ...(await runTask('(b) re-rank 100 candidates', data, [serverOrder(), ...rankers], rerankQueries)),
  ];
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

interface Query {
  /** Places of the right answers among the candidates, as product numbers. */
  readonly relevant: ReadonlySet<number>;
  readonly candidates: readonly { readonly id: string | number }[];
}

type AskQueries = (data: QualityData, invoice: TestInvoice, add: (line: TestInvoice['lines'][number]) => Promise<void>, ask: (query: Query) => Promise<void>) => Promise<void>;

/** (a): after each of the first 15 lines, which product is the next line? Products of the session are left out. */
const nextItemQueries: AskQueries = async (data, { lines, time }, add, ask) => {
  const inSession = new Set<number>();
  const catalogue = data.catalogueAt(time);
  for (let line = 0; line < Math.min(LINES, lines.length - 1); line++) {
    inSession.add(lines[line]!.product);
    await add(lines[line]!);
    await ask({ relevant: new Set([lines[line + 1]!.product]), candidates: catalogue.filter((_, product) => !inSession.has(product)) });
  }
};

/** (b): after three lines, the rest of the invoice, whether or not the server offers it. */
const rerankQueries: AskQueries = async (data, { lines, time }, add, ask) => {
  if (lines.length <= SESSION_LINES) return;
  for (const line of lines.slice(0, SESSION_LINES)) await add(line);
  const items = lines.slice(0, SESSION_LINES).map(({ product }) => data.products[product]!.id);
  await ask({ relevant: new Set(lines.slice(SESSION_LINES).map(({ product }) => product)), candidates: data.serverCandidates(items, time, CANDIDATES) });
};

async function runTask(task: string, data: QualityData, rankers: readonly QualityRanker[], askQueries: AskQueries): Promise<BenchTableCell[]> {
  const results: Results = new Map(rankers.map(({ name }) => [name, new Map(METRICS.map((metric) => [metric, []]))]));
  const shown = new Map(rankers.map(({ name }) => [name, new Set<number>()]));
  const started = Date.now();
  for (const [at, invoice] of data.invoices.entries()) {
    const sessions = await Promise.all(rankers.map(async (ranker) => ({ name: ranker.name, session: await ranker.open(invoice) })));
    const add = async (line: TestInvoice['lines'][number]): Promise<void> => {
      for (const { session } of sessions) await session.add(line);
    };
    await askQueries(data, invoice, add, async ({ relevant, candidates }) => {
      for (const { name, session } of sessions) {
        const ranked = (await session.rank(candidates)).map((place) => data.indexOf.get(String(candidates[place]!.id))!);
        for (const product of ranked.slice(0, 10)) shown.get(name)!.add(product);
        for (const [metric, value] of Object.entries(judge(ranked.slice(0, DEPTH), relevant)) as [Metric, number][]) {
          results.get(name)!.get(metric)!.push({ customer: invoice.customer, value });
        }
      }
    });
    for (const { session } of sessions) await session.close();
    if ((at + 1) % 50 === 0) console.log(`${task}: ${at + 1} invoices, ${Math.round((Date.now() - started) / 1_000)} s`);
  }
  const cells = [...tableCells(task, results), ...coverageCells(task, shown, data), ...pairedCells(task, results)];
  console.log(readmeTable(cells)); // at once, since the next task takes as long again
  return cells;
}

function tableCells(task: string, results: Results): BenchTableCell[] {
  return [...results].flatMap(([ranker, metrics]) => [...metrics].map(([metric, samples]) => ({ task, ranker, metric, ...estimate(samples) })));
}

function coverageCells(task: string, shown: ReadonlyMap<string, ReadonlySet<number>>, { products, invoices }: QualityData): BenchTableCell[] {
  return [...shown].map(([ranker, items]) => {
    const value = items.size / products.length;
    return { task, ranker, metric: 'coverage@10', value, low: value, high: value, n: invoices.length };
  });
}

/** Paired differences of NDCG@10: the full ranker minus the best single one, minus the server, and minus itself without a part. */
function pairedCells(task: string, results: Results): BenchTableCell[] {
  const samples = (ranker: string): readonly Sample[] => results.get(ranker)!.get('ndcg@10')!;
  const mean = (ranker: string): number => estimate(samples(ranker)).value;
  const best = SINGLE.reduce((one, other) => (mean(other) > mean(one) ? other : one));
  const others = [best, ...[...results.keys()].filter((ranker) => ranker === 'server order' || ranker.startsWith('full without'))];
  return others.flatMap((other) => {
    const differences = samples('full').map(({ customer, value }, query) => ({ customer, value: value - samples(other)[query]!.value }));
    const difference = estimate(differences);
    const base = mean(other);
    return [
      { task, ranker: `full - ${other}`, metric: 'ndcg@10', ...difference },
      { task, ranker: `full - ${other}`, metric: 'relative', value: difference.value / base, low: difference.low / base, high: difference.high / base, n: difference.n },
    ];
  });
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
