import { createPlainDevice } from '../../src/cli/device.ts';
import { type Sample } from '../../src/evaluate/bootstrap.ts';
import { createRandom } from '../../src/lib/random.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import type { CandidateView } from '../../src/rank/features.ts';
import type { Ranker } from '../../src/rank/ranker.ts';
import { createRanker, parseRecommenderPack } from '../../src/rank/recommender-pack.ts';
import type { ShopperEvent } from '../../src/rank/shopper-view.ts';
import { loadCatalogue, loadLeaveOneOut } from '../public-data.ts';
import { targetGain } from '../target-gain.ts';
import { textVectors } from '../text-vectors.ts';

export const CANDIDATES = 20;
const SEED = 5;

/** A shop whose items a pack was not trained on, unless it was fine-tuned there. */
export interface OtherShop {
  readonly name: string;
  /** Ids that no pack knows by accident. */
  readonly items: readonly string[];
  readonly titles: readonly string[];
  readonly vectors: Float32Array;
  readonly dimensions: number;
  /** `candidates` are in the server's order: the more popular first. */
  readonly lists: readonly { readonly history: readonly number[]; readonly target: number; readonly candidates: readonly number[] }[];
  /** What shoppers who are not asked did before their last item, oldest first. */
  readonly others: readonly (readonly number[])[];
}

/** Scores of the candidates, higher is better, after some events. */
export type Score = (shop: OtherShop, history: readonly number[], candidates: readonly number[]) => Promise<ArrayLike<number>>;

/** Reads a leave-one-out log with titles; `users` of its shoppers are asked for their last item. */
export async function loadShop(name: string, users: number): Promise<OtherShop> {
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
  const drawn = random.shuffle(Int32Array.from(queries.keys()));
  const lists = Array.from(drawn.slice(0, users), (at) => {
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
  const others = Array.from(drawn.slice(users), (at) => queries[at]!.session);
  return { name, items: items.map((id) => `${name}:${id}`), titles, vectors, dimensions, lists, others };
}

/** The server's own order, which is the shop's popularity. */
export const serverOrder: Score = (_shop, _history, candidates) => Promise.resolve(candidates.map((_, position) => -position));

/** A pack's folder as a score; `isOrdered`: the server sends its positions with the candidates. */
export async function openScores(folder: string): Promise<(isOrdered: boolean) => Score> {
  const device = await createPlainDevice();
  const pack = parseRecommenderPack(await loadPack(`${folder}/pack.json`, readFileBytes));
  const ranker = createRanker(pack, { sequence: device, score: device });
  return (isOrdered) => scoreWith(ranker, pack.itemIds, isOrdered);
}

/** Scores by a ranker that knows `itemIds`, and of all other items the texts alone. */
export function scoreWith(ranker: Ranker, itemIds: readonly string[], isOrdered: boolean): Score {
  const indexOf = new Map(itemIds.map((id, index) => [id, index]));
  return async (shop, history, candidates) => {
    const vector = (item: number): Float32Array => shop.vectors.subarray(item * shop.dimensions, (item + 1) * shop.dimensions);
    const index = (item: number): number => indexOf.get(shop.items[item]!) ?? -1;
    const events = history.map((item, time): ShopperEvent => ({ itemId: shop.items[item]!, index: index(item), kind: 'view', time, pricePosition: null, textVector: vector(item), text: shop.titles[item]! }));
    const state = await ranker.advance(await ranker.initialState(), events, null);
    const views = candidates.map((item, position): CandidateView => ({
      id: shop.items[item]!,
      index: index(item),
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

/** NDCG@10 of each list's target after the newest `events` of its shopper; equal scores share the mean of their places. */
export async function judgeLists(shop: OtherShop, events: number, score: Score): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [customer, { history, target, candidates }] of shop.lists.entries()) {
    const scores = await score(shop, events === 0 ? [] : history.slice(-events), candidates);
    samples.push({ customer, value: targetGain(scores, candidates.indexOf(target)) });
  }
  return samples;
}
