import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BEHAVIOUR_KINDS } from '../src/behaviour/kinds.ts';
import { pricePosition } from '../src/behaviour/sequence.ts';
import { readInteractions, SPLITS } from '../src/cli/data.ts';
import { createPlainDevice } from '../src/cli/device.ts';
import { PRESETS } from '../src/cli/presets.ts';
import { interestData } from '../src/cli/train/interest-stage.ts';
import { readShop } from '../src/cli/train/read-shop.ts';
import { openTrainingKernels } from '../src/compute/open-training-kernels.ts';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { InterestModel, type InterestEvent } from '../src/forecast/interest.ts';
import { trainInterest, type InterestEpoch, type InterestTrainingOptions } from '../src/learn/interest-training.ts';
import type { SequenceOptions } from '../src/learn/sequence-layer.ts';
import { packInterest } from '../src/learn/write-recommender.ts';
import { parseSafetensors } from '../src/lib/safetensors.ts';
import { quantile, summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';

const FOLDER = new URL('../../shared/data/rsc15_100k', import.meta.url).pathname;
const SESSIONS = 3_000; // of the test, spread evenly
const EPOCHS = Number(process.env['BENCH_EPOCHS'] ?? 8);
const WARM = 200; // events before times count

interface Contender {
  readonly name: string;
  readonly changes: Partial<InterestTrainingOptions> & { readonly model: SequenceOptions };
}

/** One recipe but for the model; a transformer's rate is lower, as is usual. */
const CONTENDERS: readonly Contender[] = [
  { name: 'lstm', changes: { model: { kind: 'lstm' } } },
  { name: 'gru', changes: { model: { kind: 'gru' } } },
  { name: 'transformer', changes: { model: { kind: 'transformer', layers: 2, heads: 2, dropout: 0.2 }, learningRate: 1e-3 } },
];

interface Session {
  readonly customer: number;
  readonly events: readonly InterestEvent[];
}

/** What each model of the interest costs and gains, on sessions of Yoochoose: preset `session`, ranking all items. */
export const interest: Bench = async () => {
  const files = { interactions: join(FOLDER, 'interactions.csv.gz'), items: join(FOLDER, 'items.csv.gz') };
  if (!existsSync(files.interactions)) {
    console.log(`left out: ${FOLDER} is not here.`);
    return { rows: [], tables: [] };
  }
  const data = await readShop({ ...files, protocol: 'session', without: ['text'] }, (line) => console.log(line));
  const sessions = await testSessions(files.interactions, data.shop.priceQuantiles);
  const device = await createPlainDevice();
  const rows: BenchRow[] = [];
  const tables: BenchTableCell[] = [];
  let first: { readonly advance: number; readonly epoch: number } | undefined;
  for (const { name, changes } of CONTENDERS) {
    const options = { ...PRESETS.session.interest, maxEpochs: EPOCHS, refitEpochs: 0, ...changes };
    const kernels = await openTrainingKernels({ maxBytes: 2 ** 30, threads: 2 });
    const onEpoch = ({ epoch, loss, ndcg, seconds }: InterestEpoch): void => console.log(`${name}: epoch ${epoch}, loss ${loss.toFixed(4)}, validation NDCG@10 ${ndcg?.toFixed(4)}, ${seconds.toFixed(1)} s`);
    const { tuned, history } = await trainInterest(interestData(data, false), kernels, options, { onEpoch });
    await kernels.close();
    tuned.set('projection', { shape: [options.embedding, 0], values: new Float32Array(0) });
    const bytes = packInterest(tuned);
    const own = [...tuned].filter(([tensor]) => tensor.startsWith(`${name}.`)).reduce((sum, [, { values }]) => sum + values.length, 0);
    const model = new InterestModel(parseSafetensors(bytes), { text: 0, embedding: options.embedding, hidden: options.hidden, model: changes.model.kind }, data.shop.itemIds, device);
    const { samples, advance, stateBytes } = await serve(model, sessions);
    model.dispose();
    const epoch = quantile(history.map(({ seconds }) => seconds), 0.5);
    tables.push({ task: `rsc15_100k, ${sessions.length} test sessions`, ranker: name, metric: 'ndcg@10', ...estimate(samples) });
    rows.push(
      summarise({ name: `${name}: one more event, ${model.kernel}, beside lstm`, unit: 'ms', ours: advance, ...(first && { peer: advance.map(() => first!.advance) }) }),
      summarise({ name: `${name}: an epoch, two threads, beside lstm`, unit: 's', ours: [epoch], ...(first && { peer: [first.epoch] }) }),
      summarise({ name: `${name}: parameters that read`, unit: '', ours: [own] }),
      summarise({ name: `${name}: interest.safetensors`, unit: 'B', ours: [bytes.length] }),
      summarise({ name: `${name}: state of a shopper`, unit: 'B', ours: [stateBytes] }),
    );
    first ??= { advance: quantile(advance, 0.5), epoch };
  }
  device.dispose();
  return { rows, tables };
};

/** Each session's events as the tab hands them to the model. */
async function testSessions(path: string, priceQuantiles: Float32Array): Promise<Session[]> {
  const log = await readInteractions(path, { events: BEHAVIOUR_KINDS });
  const byUser = new Map<number, number[]>();
  log.item.forEach((_, row) => {
    if (log.split?.[row] !== SPLITS.indexOf('test')) return;
    const own = byUser.get(log.user[row]!) ?? [];
    byUser.set(log.user[row]!, own);
    own.push(row);
  });
  const all = [...byUser].filter(([, own]) => own.length > 1);
  const step = Math.max(1, all.length / SESSIONS);
  return Array.from({ length: Math.min(SESSIONS, all.length) }, (_, at) => {
    const [customer, own] = all[Math.floor(at * step)]!;
    const events = own.map((row, place) => ({
      itemId: log.items[log.item[row]!]!,
      textVector: null,
      kind: BEHAVIOUR_KINDS.find((kind) => kind === log.kinds[log.kind[row]!])!,
      gapSeconds: place === 0 ? null : log.time[row]! - log.time[own[place - 1]!]!,
      pricePosition: pricePosition(log.price?.[row] ?? null, priceQuantiles),
    }));
    return { customer, events };
  });
}

/** Ranks all items before each event but a session's first, and times what one more event takes. */
async function serve(model: InterestModel, sessions: readonly Session[]): Promise<{ samples: Sample[]; advance: number[]; stateBytes: number }> {
  const samples: Sample[] = [];
  const advance: number[] = [];
  const start = await model.initialState();
  let seen = 0;
  for (const { customer, events } of sessions) {
    let state = start;
    for (const [place, event] of events.entries()) {
      const target = model.indexOf(event.itemId!);
      if (place > 0 && target >= 0) {
        const { catalogueScores } = await model.next(state);
        samples.push({ customer, value: gainOf(catalogueScores, target) });
      }
      const before = performance.now();
      state = await model.advance(state, [event]);
      if (++seen > WARM) advance.push(performance.now() - before);
    }
  }
  return { samples, advance, stateBytes: start.byteLength };
}

/** NDCG@10 of one right item; equal scores stand before it. */
function gainOf(scores: Float32Array, target: number): number {
  const rank = scores.reduce((count, score, item) => count + (item !== target && score >= scores[target]! ? 1 : 0), 0);
  return rank < 10 ? 1 / Math.log2(rank + 2) : 0;
}
