import { existsSync } from 'node:fs';
import { readEvaluationFiles } from '../../src/cli/evaluate/evaluation-files.ts';
import { summariseRankers } from '../../src/cli/evaluate/evaluation-report.ts';
import { openPack } from '../../src/cli/evaluate/open-pack.ts';
import { createBaselines } from '../../src/evaluate/baselines.ts';
import { percentileInterval } from '../../src/evaluate/bootstrap-columns.ts';
import { rankTargets, surroundingsOf } from '../../src/evaluate/evaluation.ts';
import { createPackRankers, OURS } from '../../src/evaluate/pack-rankers.ts';
import { divideLog, type DividedRows, type ProtocolName } from '../../src/evaluate/protocol.ts';
import { positiveRows, type CatalogueRanker } from '../../src/evaluate/query.ts';
import { createRandom } from '../../src/lib/random.ts';
import type { BenchTableCell } from '../harness.ts';
import { publicFile } from '../public-data.ts';

const DEMO = new URL('../../demo/data/', import.meta.url).pathname;
const METRIC = 'ndcg@10';
const SEED = 5;
const RESAMPLES = 1_000;

/** A shop, a pack that was trained on its log before the test, and others to rank the same questions. */
export interface KnownShop {
  readonly name: string;
  readonly interactions: string;
  readonly items: string;
  readonly protocol: ProtocolName;
  /** Unix seconds of the test's start, for `temporal`. */
  readonly from?: number;
  /** The shop's own first. */
  readonly packs: readonly string[];
  /** How the pack comes to be there. */
  readonly made: string;
}

export const KNOWN_SHOPS: readonly KnownShop[] = [
  {
    name: 'online_retail',
    interactions: `${DEMO}interactions.csv.gz`,
    items: `${DEMO}items.csv.gz`,
    protocol: 'temporal',
    from: Date.UTC(2011, 10, 1) / 1_000,
    packs: ['models/online-retail', 'models/shop-en'],
    made: 'npm run train:demo',
  },
  {
    name: 'rsc15_100k',
    interactions: publicFile('rsc15_100k', 'interactions'),
    items: publicFile('rsc15_100k', 'items'),
    protocol: 'session',
    packs: [new URL('../../.cache/bench/rsc15_100k', import.meta.url).pathname], // ids alone: shop-en has nothing to read
    made: 'BENCH_DATA=rsc15_100k npm run bench -- tables',
  },
];

/**
 * New shoppers in a shop that the pack knows: the next item among all of the catalogue after the first 0, 1, 2, 5 and 10 events of a visit of a
 * shopper of whom nothing else is known, by the pack and by every simple ranker. Visits that end sooner are not asked.
 */
export async function judgeNewShoppers({ name, interactions, items, protocol, from, packs, made }: KnownShop, known: readonly number[], visits: number): Promise<BenchTableCell[]> {
  const missing = packs.find((pack) => !existsSync(`${pack}/pack.json`));
  if (missing !== undefined || !existsSync(interactions)) {
    console.log(`Skipped: ${missing ?? interactions} is not there${missing === undefined ? '' : ` (${made})`}.`);
    return [];
  }
  const { log, catalogue } = await readEvaluationFiles(interactions, items);
  const isPositive = positiveRows(log.kind);
  const divided = divideLog(log, protocol, { mayBeTarget: isPositive, ...(from !== undefined && { from }) });
  const asked = targetsAfter(divided, known, visits);
  const targets = Int32Array.from([...asked.values()].flat());
  const opened = await Promise.all(packs.map(openPack));
  const { texts, textVectors, dimensions } = await opened[0]!.encode(catalogue, () => undefined);
  const surroundings = surroundingsOf(log, divided, isPositive, textVectors, dimensions);
  const ours = opened.flatMap((pack): CatalogueRanker[] =>
    createPackRankers(log, divided, { ids: catalogue.ids, texts, price: catalogue.price, textVectors, dimensions }, pack).map((ranker) => ({ ...ranker, name: ranker.name.replace(OURS, pack.manifest.name) })),
  );
  const rankers = [...createBaselines(log, divided, { itemCounts: surroundings.itemCounts, textVectors, dimensions }), ...ours];
  const answers = await rankTargets(log, divided, targets, rankers, surroundings);
  for (const pack of opened) await pack.dispose();
  return known.flatMap((events) => {
    const rows = new Set(asked.get(events));
    const places = Int32Array.from(answers.targets.keys()).filter((place) => rows.has(answers.targets[place]!));
    console.log(`${name}, ${events} events: ${places.length} visits`);
    return summariseRankers(answers, places, log.user, { resamples: RESAMPLES, seed: SEED }).map(({ name: ranker, values, replicates }): BenchTableCell => ({
      task: `${name}, ${METRIC} of ${log.items} items, new shoppers`,
      ranker,
      metric: `${events} events`,
      value: values.get(METRIC)!,
      ...percentileInterval(replicates.get(METRIC)!),
      n: places.length,
    }));
  });
}

/** For each number of events, the rows that come next in up to `visits` test visits of new shoppers, drawn with a seed. */
function targetsAfter({ test, session, contextOf }: DividedRows, known: readonly number[], visits: number): Map<number, number[]> {
  const lines = new Map<number, number[]>();
  for (const row of test) {
    const own = lines.get(session[row]!) ?? [];
    lines.set(session[row]!, own);
    own.push(row);
  }
  const fresh = [...lines.values()].map((rows) => ({ rows, ...contextOf(rows[0]!) })).filter(({ history }) => history.length === 0);
  const drawn = Array.from(createRandom(SEED).shuffle(Int32Array.from(fresh.keys())).slice(0, visits), (at) => fresh[at]!);
  return new Map(
    known.map((events) => {
      const rows = drawn.flatMap(({ rows: after, session: before }) => {
        const first = before[0]!;
        const next = events === 0 ? first : after.find((row) => contextOf(row).session.length === events);
        return next === undefined ? [] : [next];
      });
      return [events, rows];
    }),
  );
}
