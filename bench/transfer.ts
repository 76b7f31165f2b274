import { existsSync } from 'node:fs';
import { createPlainDevice } from '../src/cli/device.ts';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { createRandom } from '../src/lib/random.ts';
import { loadPack } from '../src/packs/load-pack.ts';
import { readFileBytes } from '../src/packs/read-file-bytes.ts';
import type { CandidateView } from '../src/rank/features.ts';
import type { Ranker } from '../src/rank/ranker.ts';
import { createRanker, parseRecommenderPack } from '../src/rank/recommender-pack.ts';
import type { ShopperEvent } from '../src/rank/shopper-view.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { hasPublicData, loadLeaveOneOut, loadCatalogue } from './public-data.ts';
import { textVectors } from './text-vectors.ts';

/** Other shops than the one that our packs were trained on. */
const SHOPS = ['amazon_games_2018', 'movielens_1m'] as const;
const PACKS = ['shop-en', 'online-retail'] as const;
const EVENTS = [0, 1, 2, 5, 10] as const;
const USERS = Number(process.env.BENCH_USERS ?? 1_000);
const CANDIDATES = 20;
const BEST = 10;
const SEED = 5;

interface OtherShop {
  readonly items: readonly string[];
  readonly titles: readonly string[];
  readonly vectors: Float32Array;
  readonly dimensions: number;
  /** How often each item is in the log, [items]. */
  readonly popularity: Float32Array;
  /** `candidates` are in the server's order: the more popular first. */
  readonly lists: readonly { readonly history: readonly number[]; readonly target: number; readonly candidates: readonly number[] }[];
}

/** Scores of the candidates, higher is better, after some events. */
type Score = (shop: OtherShop, history: readonly number[], candidates: readonly number[]) => Promise<ArrayLike<number>>;

/**
 * Packs on shops that they were not trained on, by how many events are known of the shopper: 20 candidates with the next item among them.
 * The server's order is the shop's popularity, which a pack gets as positions ("with the server's scores") or does not.
 */
export const transfer: Bench = async () => {
  const tables: BenchTableCell[] = [];
  const rankers = await openRankers();
  for (const name of SHOPS.filter((shop) => (process.env.BENCH_DATA ?? shop) === shop)) {
    if (!hasPublicData(name)) {
      console.log(`Skipped: ${name} is not there.`);
      continue;
    }
    const shop = await loadShop(name);
    for (const events of EVENTS) {
      for (const [ranker, score] of rankers) {
        const figure = estimate(await judgeLists(shop, events, score));
        tables.push({ task: `${name}, ndcg@10 of ${CANDIDATES} candidates`, ranker, metric: `${events} events`, ...figure });
        console.log(`${name}, ${events} events: ${ranker} ${figure.value.toFixed(4)}`);
      }
    }
  }
  return { rows: [], tables };
};

async function openRankers(): Promise<[string, Score][]> {
  const rankers: [string, Score][] = [['server: popularity', (_shop, _history, candidates) => Promise.resolve(candidates.map((_, position) => -position))]];
  for (const name of PACKS) {
    if (!existsSync(`models/${name}/pack.json`)) {
      console.log(`Skipped: models/${name} is not there (npm run train:generic).`);
      continue;
    }
    const device = await createPlainDevice();
    const pack = parseRecommenderPack(await loadPack(`models/${name}/pack.json`, readFileBytes));
    const ranker = createRanker(pack, { sequence: device, score: device });
    rankers.push([`${name}, texts alone`, scoreWith(ranker, false)], [`${name}, with the server's scores`, scoreWith(ranker, true)]);
  }
  return rankers;
}

/** Whatever the pack knows, it does not know these items. */
function scoreWith(ranker: Ranker, isOrdered: boolean): Score {
  return async (shop, history, candidates) => {
    const vector = (item: number): Float32Array => shop.vectors.subarray(item * shop.dimensions, (item + 1) * shop.dimensions);
    const id = (item: number): string => `other shop ${shop.items[item]!}`;
    const events = history.map((item, time): ShopperEvent => ({ itemId: id(item), index: -1, kind: 'view', time, pricePosition: null, textVector: vector(item), text: shop.titles[item]! }));
    const state = await ranker.advance(await ranker.initialState(), events, null);
    const views = candidates.map((item, position): CandidateView => ({
      id: id(item),
      index: -1,
      textVector: vector(item),
      title: shop.titles[item]!,
      pricePosition: null,
      demandForecast: null,
      lastWeek: null,
      lastFourWeeks: null,
      serverPosition: isOrdered ? position : null,
    }));
    return ranker.score(await ranker.prepare({ events, state }, history.length), views);
  };
}

async function loadShop(name: string): Promise<OtherShop> {
  const { items, queries } = await loadLeaveOneOut(name, 'test');
  const catalogue = await loadCatalogue(name);
  const { vectors: all, dimensions } = await textVectors(name, catalogue.titles);
  const rowOf = new Map(catalogue.ids.map((id, row) => [id, row]));
  const rows = items.map((id) => rowOf.get(id)!);
  const titles = rows.map((row) => catalogue.titles[row]!);
  const vectors = new Float32Array(rows.length * dimensions);
  rows.forEach((row, item) => vectors.set(all.subarray(row * dimensions, (row + 1) * dimensions), item * dimensions));
  const popularity = new Float32Array(items.length);
  for (const { session } of queries) for (const item of session.slice(0, -1)) popularity[item]!++;
  const random = createRandom(SEED);
  const lists = Array.from(random.shuffle(Int32Array.from(queries.keys())).slice(0, USERS), (at) => {
    const { session, target } = queries[at]!;
    const had = new Set(session);
    const candidates = new Set([target]);
    while (candidates.size < CANDIDATES) {
      const item = random.integer(items.length);
      if (!had.has(item)) candidates.add(item);
    }
    // Shuffled first: equal counts must not leave the target in front.
    const listed = random.shuffle([...candidates]).sort((a, b) => popularity[b]! - popularity[a]!);
    return { history: session, target, candidates: listed };
  });
  return { items, titles, vectors, dimensions, popularity, lists };
}

/** NDCG@10 of each list's target; equal scores share the mean of their places. */
async function judgeLists(shop: OtherShop, events: number, score: Score): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [customer, { history, target, candidates }] of shop.lists.entries()) {
    const scores = Array.from(await score(shop, events === 0 ? [] : history.slice(-events), candidates));
    const own = scores[candidates.indexOf(target)]!;
    const place = scores.filter((other) => other > own).length + (scores.filter((other) => other === own).length - 1) / 2;
    samples.push({ customer, value: place < BEST ? 1 / Math.log2(place + 2) : 0 });
  }
  return samples;
}
