import { estimate } from '../src/evaluate/bootstrap.ts';
import { DEPTH, judge, type Metric } from '../src/evaluate/metrics.ts';
import { openEncoder } from '../src/cli/encoder.ts';
import { createBilinearText, fitBilinearText } from '../src/rank/simple/bilinear-text.ts';
import { createEase, EASE_ITEMS, fitEase, largestWeights } from '../src/rank/simple/ease.ts';
import { trainMultVae, type MultVaeOptions } from '../src/learn/mult-vae-training.ts';
import { createTrainingKernels } from '../src/compute/create-training-kernels.ts';
import { countCooccurrence, createItemKnn } from '../src/rank/simple/item-knn.ts';
import { countTransitions, createMarkov } from '../src/rank/simple/markov.ts';
import { createMultVae } from '../src/rank/simple/mult-vae.ts';
import { countPopularity, createPopularity, createRecentPopularity } from '../src/rank/simple/popularity.ts';
import { countSequentialRules, createSequentialRules } from '../src/rank/simple/sequential-rules.ts';
import type { SimpleRanker } from '../src/rank/simple/simple-ranker.ts';
import { createVmisKnn, indexSessions } from '../src/rank/simple/vmis-knn.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';
import { hasPublicData, loadLeaveOneOut, loadSessions, loadTexts, type PublicData, type Stage } from './public-data.ts';
import { topItems } from './top-items.ts';

const ENCODER = 'models/encoder-en';
const KERNEL_BYTES = 2 ** 30;

interface DataSet {
  readonly name: string;
  readonly load: (name: string, stage: Stage) => Promise<PublicData>;
  readonly metrics: readonly [Metric, Metric];
  readonly hasTitles?: boolean;
  /** How Mult-VAE is trained, where it is: it reads a user's items as a set. */
  readonly multVae?: MultVaeOptions;
  /** Figures of the same method elsewhere, in the order of `metrics`: from a paper's table, or counted on these very files. */
  readonly references: readonly { readonly ranker: string; readonly source: 'published' | 'counted'; readonly values: readonly [number, number] }[];
}

/** Published: S3-Rec's table (Beauty), session-rec's table for its own cut of the log (diginetica). */
const DATA_SETS: readonly DataSet[] = [
  {
    name: 'movielens_1m',
    load: loadLeaveOneOut,
    metrics: ['hr@10', 'ndcg@10'],
    hasTitles: true,
    multVae: {},
    references: [
      { ranker: 'markov', source: 'counted', values: [0.2119, 0.1249] },
      { ranker: 'rules of last item', source: 'counted', values: [0.2258, 0.1308] },
    ],
  },
  {
    name: 'amazon_beauty_2014',
    load: loadLeaveOneOut,
    metrics: ['hr@10', 'ndcg@10'],
    multVae: { epochs: 20 },
    references: [
      { ranker: 'popular', source: 'published', values: [0.0152, 0.0068] },
      { ranker: 'markov', source: 'counted', values: [0.0684, 0.0473] },
      { ranker: 'rules of last item', source: 'counted', values: [0.0821, 0.0544] },
    ],
  },
  {
    name: 'diginetica',
    load: loadSessions,
    metrics: ['recall@20', 'mrr@20'],
    references: [
      { ranker: 'markov', source: 'published', values: [0.3441, 0.1307] },
      { ranker: 'markov', source: 'counted', values: [0.3361, 0.1277] },
      { ranker: 'rules of last item', source: 'counted', values: [0.4035, 0.1412] },
      { ranker: 'VMIS-kNN', source: 'published', values: [0.5203, 0.1841] },
    ],
  },
  {
    name: 'rsc15_100k',
    load: loadSessions,
    metrics: ['recall@20', 'mrr@20'],
    references: [
      { ranker: 'markov', source: 'counted', values: [0.5784, 0.3475] },
      { ranker: 'rules of last item', source: 'counted', values: [0.6189, 0.3482] },
    ],
  },
];

/**
 * The counted and closed-form rankers on public data, all items ranked, beside figures of the same methods elsewhere.
 * `BENCH_DATA` names one data set; `BENCH_STAGE=validation` asks for what lies before the test, to choose hyper-parameters by.
 */
export const baselines: Bench = async () => {
  const stage: Stage = process.env.BENCH_STAGE === 'validation' ? 'validation' : 'test';
  const rows: BenchRow[] = [];
  const tables: BenchTableCell[] = [];
  for (const dataSet of DATA_SETS.filter(({ name }) => (process.env.BENCH_DATA ?? name) === name)) {
    const { name, load, metrics, references } = dataSet;
    if (!hasPublicData(name)) {
      console.log(`Skipped: ${name} is not there.`);
      continue;
    }
    const data = await load(name, stage);
    console.log(`${name}, ${stage}: ${data.items.length} items, ${data.training.time.length} sequences, ${data.queries.length} targets …`);
    const popularity = countPopularity(data.training, data.items.length);
    for (const ranker of await createRankers(dataSet, data, popularity)) {
      const judged = judgeRanker(ranker, data, popularity);
      for (const [place, metric] of metrics.entries()) {
        const figure = estimate(judged.map((figures, query) => ({ customer: data.queries[query]!.customer, value: figures[metric] })));
        tables.push({ task: `${name} ${metrics.join(', ')}`, ranker: ranker.name, metric: place === 0 ? 'hits' : 'rank', ...figure });
        for (const { source, values } of references.filter((reference) => stage === 'test' && reference.ranker === ranker.name)) {
          rows.push(summarise({ name: `${name}: ${ranker.name}, ${metric}, ${source}`, unit: '', ours: [figure.value], peer: [values[place]!], bound: 'least' }));
        }
      }
    }
  }
  return { rows, tables };
};

async function createRankers({ name, hasTitles = false, multVae }: DataSet, data: PublicData, popularity: Float32Array): Promise<SimpleRanker[]> {
  const { training, repeats } = data;
  const items = data.items.length;
  const rules = countSequentialRules(training, items);
  // A session has some lines and a wholesale order is noise; a user's whole sequence is neither.
  const lines = repeats ? {} : { maxLines: Infinity };
  const rankers = [
    createPopularity(popularity),
    createMarkov(countTransitions(training, items)),
    // The textbook's rules: what a chain does with the table of rules. A divisor common to the row changes no order.
    { ...createMarkov(rules), name: 'rules of last item' },
    createSequentialRules(rules),
    createItemKnn(countCooccurrence(training, items, lines)),
    createVmisKnn(indexSessions(training, items)),
  ];
  if (data.queries.some(({ time }) => time > 0)) rankers.push(createRecentPopularity(training));
  if (items <= EASE_ITEMS) rankers.push(createEase(largestWeights(fitEase(training, items), items)));
  if (multVae) rankers.push(createMultVae(await trainMultVae(training, items, createTrainingKernels({ maxBytes: KERNEL_BYTES }), { ...multVae, onEpoch: (epoch, loss) => console.log(`Mult-VAE: epoch ${epoch}, loss ${loss.toFixed(3)}`) })));
  if (hasTitles) {
    const { vectors, dimensions } = await encodeTexts(await loadTexts(name, data.items));
    rankers.push(createBilinearText(fitBilinearText(training, vectors, dimensions)));
  }
  return rankers;
}

function judgeRanker(ranker: SimpleRanker, { items, queries, repeats }: PublicData, popularity: Float32Array): Record<Metric, number>[] {
  const scores = new Float32Array(items.length);
  return queries.map(({ session, target, time }) => {
    ranker.score({ session: session.map((item) => ({ item, weight: 1 })), history: [], now: time }, scores);
    return judge(topItems(scores, popularity, DEPTH, new Set(repeats ? [] : session)), new Set([target]));
  });
}

async function encodeTexts(texts: readonly string[]): Promise<{ vectors: Float32Array; dimensions: number }> {
  const { encoder, device } = await openEncoder(ENCODER);
  const { dimensions } = encoder;
  const vectors = await encoder.encode(texts);
  encoder.dispose();
  device.dispose();
  return { vectors, dimensions };
}
