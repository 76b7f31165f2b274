import { estimate, type Sample } from '../../src/evaluate/bootstrap.ts';
import { DEPTH, judge, METRICS, type Metric } from '../../src/evaluate/metrics.ts';
import type { BenchTableCell } from '../harness.ts';
import type { QualityData, TestInvoice } from './protocol.ts';
import { serverOrder, type QualityRanker } from './rankers.ts';

const LINES = 15; // of an invoice, in task (a)
const SESSION_LINES = 3; // of an invoice, in task (b)
const CANDIDATES = 100;
const SINGLE = ['popular 7 days', 'personal frequency', 'sequential rules', 'markov', 'item-kNN', 'text only'];

/** Ranker -> metric -> one sample per query. */
type Results = Map<string, Map<Metric, Sample[]>>;

/**
 * Both tasks: (a) the next item in the basket, among the whole catalogue; (b) the rest of the invoice, among the 100 candidates of the
 * demo's server. `onTask` hears of each as soon as it is there.
 */
export async function judgeTasks(data: QualityData, rankers: readonly QualityRanker[], onTask: (cells: readonly BenchTableCell[]) => void): Promise<BenchTableCell[]> {
  const nextItem = await runTask('(a) next item in the basket', data, rankers, nextItemQueries);
  onTask(nextItem);
  const rerank = await runTask('(b) re-rank 100 candidates', data, [serverOrder(), ...rankers], rerankQueries);
  onTask(rerank);
  return [...nextItem, ...rerank];
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
  return [...tableCells(task, results), ...coverageCells(task, shown, data), ...pairedCells(task, results)];
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
