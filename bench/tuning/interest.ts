import { openTrainingKernels } from '../../src/compute/open-training-kernels.ts';
import { readShop } from '../../src/cli/train/read-shop.ts';
import { estimate } from '../../src/evaluate/bootstrap.ts';
import type { AdapterOptions } from '../../src/learn/adapters.ts';
import { judgeEvents, startFrom, type JudgedEvent } from '../../src/learn/continued-interest.ts';
import { groupByUser, type Histories } from '../../src/learn/histories.ts';
import { InterestNetwork } from '../../src/learn/interest-network.ts';
import { DEFAULT_INTEREST_TRAINING, PARAMETER_GROUPS, trainInterest, type InterestCheckpoint, type InterestData } from '../../src/learn/interest-training.ts';
import { heldFrom, rowsOfLog } from '../../src/learn/split-log.ts';
import { createRandom } from '../../src/lib/random.ts';
import type { FloatTensors } from '../../src/learn/write-recommender.ts';
import { summarise, type BenchResult, type BenchRow, type BenchTableCell } from '../harness.ts';
import { ONLINE_RETAIL } from '../quality/online-retail.ts';
import { Bottleneck } from './bottleneck.ts';

/** One shopper in so many takes part; the whole log (1) takes an hour. */
const ONE_IN = Number(process.env.BENCH_ONE_IN ?? 4);
const KERNEL_BYTES = 2 ** 30;

const at = (day: string): number => Date.parse(day) / 1_000;
const [SEPTEMBER, OCTOBER, LATE_OCTOBER, NOVEMBER, DECEMBER] = ['2011-09-01', '2011-10-01', '2011-10-24', '2011-11-01', '2011-12-01'].map(at) as [number, number, number, number, number];

interface Variant {
  readonly name: string;
  readonly adapter: AdapterOptions;
  readonly learningRate: number;
  /** Of a bottleneck adapter, with all else frozen. */
  readonly units?: number;
}

const { learningRate: RATE } = DEFAULT_INTEREST_TRAINING;

const VARIANTS: readonly Variant[] = [
  { name: 'full', adapter: { kind: 'full' }, learningRate: RATE / 4 },
  { name: 'lora:8', adapter: { kind: 'lora', rank: 8 }, learningRate: RATE },
  { name: 'lora:2', adapter: { kind: 'lora', rank: 2 }, learningRate: RATE },
  { name: 'bottleneck:8', adapter: { kind: 'full' }, learningRate: RATE, units: 8 },
  { name: 'bottleneck:32', adapter: { kind: 'full' }, learningRate: RATE, units: 32 },
  { name: 'head-only', adapter: { kind: 'head-only' }, learningRate: RATE / 4 },
];

/** The variant that the others' paired figures are against. */
const PEER = 'lora:8';

/** How much of October is learnt. */
const WAYS = [
  // As `train --init`: three epochs until late October, of which the last week chooses one, or none where all are worse than what they came from; then all of October once.
  { task: 'interest model tuned on October', epochs: { maxEpochs: 3, patience: 3, refitEpochs: 1 }, rateTimes: 1 },
  // Where none is chosen, a variant shows one short epoch alone; here all show three. Four times the rate, because a refit's begins at a quarter.
  { task: 'interest model, three epochs of October', epochs: { maxEpochs: 0, patience: 0, refitEpochs: 3 }, rateTimes: 4 },
] as const;

/** Full, LoRA, bottleneck and head-only: NDCG@10 and loss on November, loss on the days before October, numbers trained and minutes. */
export async function interestTable(): Promise<BenchResult> {
  const { shop } = await readShop({ ...ONLINE_RETAIL, until: new Date(DECEMBER * 1_000).toISOString(), validationDays: 30 }, console.log);
  const log = rowsOfLog(shop.log, (row) => shop.log.user[row]! % ONE_IN === 0);
  const between = (from: number, until: number): Histories => groupByUser(rowsOfLog(log, (row) => log.time[row]! >= from && log.time[row]! < until));
  const base = { protocol: 'temporal', textVectors: shop.textVectors, textDimensions: shop.textDimensions, priceQuantiles: shop.priceQuantiles, itemPrices: shop.itemPrices } as const;
  // A part of the shoppers in as many steps as all of them would have.
  const settings = { ...DEFAULT_INTEREST_TRAINING, seed: ONLINE_RETAIL.seed, lanes: Math.max(4, Math.round(DEFAULT_INTEREST_TRAINING.lanes / ONE_IN)) };
  const kernels = await openTrainingKernels({ maxBytes: KERNEL_BYTES });

  const withBottleneck = (network: InterestNetwork, units: number): Bottleneck => {
    const { hidden, lanes, steps } = settings;
    const bottleneck = new Bottleneck({ hidden, units, rows: lanes * steps }, kernels, createRandom(settings.seed));
    network.adaptHidden(bottleneck);
    return bottleneck;
  };
  const judge = ({ tensors, units, added }: Tuned, histories: Histories, countedFrom: Int32Array, rowOf: Int32Array): JudgedEvent[] => {
    kernels.release();
    const { embedding, hidden, cosine, lanes, steps, model } = settings;
    const network = new InterestNetwork({ model, items: histories.items, text: shop.textDimensions, embedding, hidden, cosine, lanes, steps }, { ...base, itemCounts: new Int32Array(histories.items) }, { kind: 'softmax' }, kernels, createRandom(1));
    startFrom(network.parameters, { tensors, rowOf, oldDays: null }, shop.textVectors, kernels);
    if (units !== undefined) for (const [name, { values }] of withBottleneck(network, units).parameters) values.set(added!.get(name)!);
    return judgeEvents(network, histories, countedFrom);
  };

  console.log(`a model until October, of one shopper in ${ONE_IN}: ${log.item.length} lines, ${shop.itemIds.length} items …`);
  const trained = await trainInterest({ ...base, training: between(0, SEPTEMBER), refit: between(0, OCTOBER) }, kernels, { ...settings, maxEpochs: 5, refitEpochs: 1 }, { onEpoch: logEpoch });
  const oldDays = between(0, OCTOBER);
  const known = new Set(oldDays.item);
  const rowOf = Int32Array.from({ length: log.items }, (_, item) => (known.has(item) ? item : -1));
  const every = Int32Array.from({ length: log.items }, (_, item) => item);
  const all = between(0, DECEMBER);
  const november = heldFrom({ training: between(0, NOVEMBER), refit: all });

  const rows: BenchRow[] = [];
  const tables: BenchTableCell[] = [];
  const judgeBoth = (tuned: Tuned, items: Int32Array): Judged => ({ recent: judge(tuned, all, november, items), old: judge(tuned, oldDays, oldDays.offsets.slice(0, -1), items) });
  const untuned = judgeBoth({ tensors: trained.shipped }, rowOf);
  for (const { task, epochs, rateTimes } of WAYS) {
    const judged = new Map([['untuned', untuned]]);
    for (const { name, adapter, learningRate, units } of VARIANTS) {
      console.log(`${task}: ${name} …`);
      kernels.release();
      const started = Date.now();
      const data: InterestData = { ...base, training: between(OCTOBER, LATE_OCTOBER), refit: between(OCTOBER, NOVEMBER), earlier: { tensors: trained.shipped, rowOf, oldDays: null } };
      let last: InterestCheckpoint | undefined;
      const tuned = await trainInterest(
        data,
        kernels,
        { ...settings, ...epochs, adapter, learningRate: rateTimes * learningRate, warmUpSteps: 20, ...(units !== undefined && { freeze: PARAMETER_GROUPS }) },
        {
          onEpoch: logEpoch,
          ...(units !== undefined && { extendSteps: (network) => ({ parameters: withBottleneck(network, units).parameters }) }),
          saveCheckpoint: (checkpoint) => {
            last = checkpoint; // of the refit in the end, as what ships
            return Promise.resolve();
          },
        },
      );
      const title = `${task}, ${name}`;
      rows.push(summarise({ name: `${title}: numbers trained`, unit: '', ours: [tuned.trained] }));
      rows.push(summarise({ name: `${title}: time`, unit: 'minutes', ours: [(Date.now() - started) / 60_000] }));
      if (epochs.maxEpochs > 0) rows.push(summarise({ name: `${title}: epoch that validation chose`, unit: '', ours: [last!.best.epoch] }));
      judged.set(name, judgeBoth({ tensors: tuned.shipped, ...(units !== undefined && { units, added: last!.tensors }) }, every));
    }
    tables.push(...cellsOf(task, judged));
  }
  await kernels.close();
  return { rows, tables };
}

/** What is judged: a model as it ships, and a bottleneck adapter that is not of it. */
interface Tuned {
  readonly tensors: FloatTensors;
  readonly units?: number;
  readonly added?: ReadonlyMap<string, Float32Array>;
}

/** What a model says of November, and of the days before October. */
interface Judged {
  readonly recent: readonly JudgedEvent[];
  readonly old: readonly JudgedEvent[];
}

/** All are asked the same, so that differences are of pairs. */
function cellsOf(task: string, judged: ReadonlyMap<string, Judged>): BenchTableCell[] {
  const untuned = judged.get('untuned')!.recent;
  const peer = judged.get(PEER)!.recent;
  return [...judged].flatMap(([ranker, { recent, old }]) => {
    const cell = (metric: string, of: readonly JudgedEvent[], value: (event: JudgedEvent, at: number) => number): BenchTableCell => ({
      task, ranker, metric, ...estimate(of.map((event, at) => ({ customer: event.user, value: value(event, at) }))),
    });
    return [
      cell('NDCG@10, November', recent, ({ ndcg }) => ndcg),
      cell('gain, paired', recent, ({ ndcg }, at) => ndcg - untuned[at]!.ndcg),
      cell(`gain over ${PEER}`, recent, ({ ndcg }, at) => ndcg - peer[at]!.ndcg),
      cell('loss, November', recent, ({ loss }) => loss),
      cell('loss, paired', recent, ({ loss }, at) => loss - untuned[at]!.loss),
      cell(`loss over ${PEER}`, recent, ({ loss }, at) => loss - peer[at]!.loss),
      cell('loss, old days', old, ({ loss }) => loss),
    ];
  });
}

function logEpoch({ epoch, loss, ndcg }: { epoch: number; loss: number; ndcg: number | null }): void {
  console.log(`  epoch ${epoch}: loss ${loss.toFixed(4)}${ndcg === null ? '' : `, validation NDCG@10 ${ndcg.toFixed(4)}`}`);
}
