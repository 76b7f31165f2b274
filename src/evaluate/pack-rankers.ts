import { RecommenderError } from '../errors.ts';
import type { DemandForecaster, ItemDemand } from '../forecast/item-demand.ts';
import type { NextInterest } from '../forecast/interest.ts';
import type { CandidateView } from '../rank/features.ts';
import type { PreparedShopper, Ranker } from '../rank/ranker.ts';
import { createDemandAsOf, type DemandAsOf } from './catalogue-demand.ts';
import type { DividedRows } from './protocol.ts';
import type { CatalogueRanker, EvaluationLog, EvaluationQuery } from './query.ts';
import { ShopperReplay } from './shopper-replay.ts';

/** A catalogue as the pack's ranker reads one. */
export interface EvaluationCatalogue {
  readonly ids: readonly string[];
  /** What the encoder read of each item. */
  readonly texts: readonly string[];
  /** [items] NaN where unknown. */
  readonly price: Float32Array;
  /** [items, dimensions], unit rows of the pack's encoder. */
  readonly textVectors: Float32Array;
  readonly dimensions: number;
}

export interface PackModels {
  readonly ranker: Ranker;
  readonly demand: DemandForecaster | null;
  readonly indexOf: (itemId: string) => number;
}

/** Catalogues up to this size are scored by the head as a whole. */
export const WHOLE_CATALOGUE = 5_000;
/** Of larger ones, how many of each ranker's best items the head re-orders. */
export const UNION_SIZE = 200;

/** Items outside the union keep their order so far below it that they have no share in the head's probabilities. */
const BELOW_UNION = 50;

export interface PackRankerOptions {
  /** How many of each ranker's best items the head re-orders; all items where it is Infinity. Default: Infinity up to WHOLE_CATALOGUE items, else UNION_SIZE. */
  readonly unionSize?: number;
}

export const OURS = 'shelfwise';
export const INTEREST_ALONE = 'shelfwise: interest model alone';

/**
 * The pack's ranker as a device serves it, and its interest model alone (where it has one).
 * The head scores the union of what each of its rankers, the last week's sales and the nearest texts put first; all other items follow
 * by the interest model's score (by popularity, without one). Sales as of each day are counted from the log's own lines, where it has `qty`.
 */
export function createPackRankers(log: EvaluationLog, divided: DividedRows, catalogue: EvaluationCatalogue, models: PackModels, { unionSize }: PackRankerOptions = {}): CatalogueRanker[] {
  const asked = unionSize ?? (catalogue.ids.length <= WHOLE_CATALOGUE ? Infinity : UNION_SIZE);
  const scorer = new PackScorer(log, divided, catalogue, models, asked);
  const ours: CatalogueRanker = { name: OURS, probability: 'softmax', score: (query, out) => scorer.score(query, out) };
  if (!models.ranker.interest) return [ours];
  return [ours, { name: INTEREST_ALONE, probability: 'softmax', score: (query, out) => scorer.interest(query, out) }];
}

class PackScorer {
  readonly #catalogue: EvaluationCatalogue;
  readonly #ranker: Ranker;
  readonly #unionSize: number;
  readonly #replay: ShopperReplay;
  readonly #demandAsOf: DemandAsOf | null;
  /** [items] rows in the pack's catalogue, or -1. */
  readonly #index: Int32Array;
  /** Every item as ranking reads it, with the demand of the newest question's day. */
  #views: readonly CandidateView[];
  #viewsOf: readonly ItemDemand[] | null = null;
  #prepared: { readonly query: EvaluationQuery; readonly shopper: PreparedShopper } | undefined;

  constructor(log: EvaluationLog, divided: DividedRows, catalogue: EvaluationCatalogue, { ranker, demand, indexOf }: PackModels, unionSize: number) {
    const { ids, texts, price, textVectors, dimensions } = catalogue;
    this.#catalogue = catalogue;
    this.#ranker = ranker;
    this.#unionSize = unionSize;
    this.#index = Int32Array.from(ids, indexOf);
    this.#views = ids.map((id, item) => ({
      id,
      title: texts[item]!,
      index: this.#index[item]!,
      textVector: textVectors.subarray(item * dimensions, (item + 1) * dimensions),
      pricePosition: ranker.pricePosition(Number.isNaN(price[item]!) ? null : price[item]),
      demandForecast: null,
      lastWeek: null,
      lastFourWeeks: null,
      serverPosition: null,
    }));
    const events = this.#views.map(({ id, index, pricePosition, textVector }, item) => ({ itemId: id, text: texts[item]!, index, pricePosition, textVector }));
    this.#replay = new ShopperReplay({ ranker, log, divided, itemOf: (item) => events[item]! });
    this.#demandAsOf = log.quantity === null || log.clock === 'position' ? null : createDemandAsOf(knownSales(log, log.quantity, divided), ids, demand);
  }

  async score(query: EvaluationQuery, out: Float32Array): Promise<void> {
    const shopper = await this.#prepare(query);
    const views = await this.#viewsAt(query.now);
    if (this.#unionSize >= views.length) {
      out.set(await this.#ranker.score(shopper, views));
      return;
    }
    if (shopper.next) this.#interestScores(shopper.next, out);
    else out.fill(0); // equal scores are ordered by popularity
    const union = this.#union(shopper, views, out);
    const scores = await this.#ranker.score(shopper, union.map((item) => views[item]!)); // [union]
    const lowest = scores.reduce((least, score) => Math.min(least, score), Infinity);
    const most = out.reduce((one, score) => Math.max(one, score), -Infinity);
    for (let item = 0; item < out.length; item++) out[item] = lowest - BELOW_UNION + (out[item]! - most);
    union.forEach((item, at) => (out[item] = scores[at]!));
  }

  /** log p(next = i) of the interest model, [items]. */
  async interest(query: EvaluationQuery, out: Float32Array): Promise<void> {
    const { next } = await this.#prepare(query);
    if (!next) throw new RecommenderError('INTERNAL', 'A pack without an interest model has no such ranker.');
    this.#interestScores(next, out);
  }

  async #prepare(query: EvaluationQuery): Promise<PreparedShopper> {
    if (this.#prepared?.query !== query) this.#prepared = { query, shopper: await this.#ranker.prepare(await this.#replay.shopperAt(query), query.now) };
    return this.#prepared.shopper;
  }

  async #viewsAt(now: number): Promise<readonly CandidateView[]> {
    const demand = await this.#demandAsOf?.(now);
    if (!demand || demand === this.#viewsOf) return this.#views;
    this.#viewsOf = demand;
    this.#views = this.#views.map((view, item) => {
      const { forecast, lastWeek, lastFourWeeks } = demand[item]!;
      return { ...view, demandForecast: forecast, lastWeek, lastFourWeeks };
    });
    return this.#views;
  }

  #interestScores(next: NextInterest, out: Float32Array): void {
    const { interest } = this.#ranker;
    for (let item = 0; item < out.length; item++) {
      const index = this.#index[item]!;
      out[item] = (index >= 0 ? next.catalogueScores[index]! : interest!.unseenScore(next, this.#views[item]!.textVector)) - next.logNormaliser;
    }
  }

  /** Items that any ranker puts among its first, ascending. */
  #union({ scores, userVector }: PreparedShopper, views: readonly CandidateView[], rest: Float32Array): number[] {
    const chosen = new Uint8Array(views.length);
    const take = (values: Float32Array): void => {
      for (const item of highest(values, this.#unionSize)) chosen[item] = 1;
    };
    const known = (values: Float32Array): Float32Array => Float32Array.from(this.#index, (index) => (index >= 0 ? values[index]! : 0));
    take(rest);
    for (const values of Object.values(scores)) if (values) take(known(values));
    if (this.#viewsOf) take(Float32Array.from(views, ({ lastWeek }) => lastWeek ?? 0));
    if (userVector) take(this.#similarities(userVector));
    return Array.from(chosen.keys()).filter((item) => chosen[item] === 1);
  }

  /** Cosines of u_u and each item, moved to be above 0, [items]. */
  #similarities(userVector: Float32Array): Float32Array {
    const { textVectors, dimensions, ids } = this.#catalogue;
    const out = new Float32Array(ids.length);
    for (let item = 0, at = 0; item < out.length; item++) {
      let sum = 0;
      for (let k = 0; k < dimensions; k++) sum += userVector[k]! * textVectors[at++]!;
      out[item] = sum + 1;
    }
    return out;
  }
}

/** Lines whose units are known as of any later moment: for `leave-one-out` those of the training, else all. */
function knownSales(log: EvaluationLog, quantity: Float32Array, { protocol, beforeTest }: DividedRows): { item: Int32Array; time: Float64Array; quantity: Float32Array } {
  if (protocol !== 'leave-one-out') return { item: log.item, time: log.time, quantity };
  return { item: Int32Array.from(beforeTest, (row) => log.item[row]!), time: Float64Array.from(beforeTest, (row) => log.time[row]!), quantity: Float32Array.from(beforeTest, (row) => quantity[row]!) };
}

/** The `count` items with the highest values, without those at the least value, in no order. */
function highest(values: Float32Array, count: number): number[] {
  const sorted = values.slice().sort();
  const least = sorted[0]!;
  const bound = sorted[Math.max(0, sorted.length - count)]!;
  const items: number[] = [];
  for (let item = 0; item < values.length && items.length < count; item++) if (values[item]! >= bound && values[item]! > least) items.push(item);
  return items;
}
