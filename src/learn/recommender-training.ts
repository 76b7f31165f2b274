import type { Device } from '../compute/device.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { RecommenderError } from '../errors.ts';
import { DemandModel, type DemandTensors } from '../forecast/demand.ts';
import { ItemDemandCache } from '../forecast/item-demand.ts';
import { InterestModel } from '../forecast/interest.ts';
import { weeklySales } from '../forecast/weekly-sales.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { createRandom } from '../lib/random.ts';
import { FEATURE_NAMES, type FeatureName } from '../rank/feature-schema.ts';
import { Ranker, type RankerTables } from '../rank/ranker.ts';
import { countCooccurrence } from '../rank/simple/item-knn.ts';
import { countTransitions } from '../rank/simple/markov.ts';
import { countPopularity } from '../rank/simple/popularity.ts';
import { countSequentialRules } from '../rank/simple/sequential-rules.ts';
import { WINDOW_WEEKS } from '../forecast/demand-input.ts';
import { trainDemand } from './demand-training.ts';
import { collectHeadQueries, type DemandFigures } from './head-queries.ts';
import { trainHead, type HeadTrainingOptions, type TrainedHead } from './head-training.ts';
import { groupByUser, logBefore, type LogColumns } from './histories.ts';
import { basketsOf, meanTextVector, type Shop } from './shop.ts';

/** What an ablation leaves out; its head is trained anew without it. */
export type Part = 'lstm' | 'text' | 'demand';

/** Neighbours per item in the tables that ship. */
export const SHIPPED_NEIGHBOURS = 60;

const FEWEST_QUERIES = 20; // fewer would teach the head their own accidents

const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY;

const FEATURES_OF: Readonly<Record<Part, readonly FeatureName[]>> = {
  lstm: ['interest'],
  text: ['textAffinity', 'textMean', 'textLast'],
  demand: ['demand', 'demandTrend'],
};

/** The features that a head without some parts reads. */
export function featureNames(without: readonly Part[]): FeatureName[] {
  const left = new Set(without.flatMap((part) => FEATURES_OF[part]));
  return FEATURE_NAMES.filter((name) => !left.has(name));
}

/** Counts the simple rankers' tables over a log. */
export function countTables(shop: Shop, log: LogColumns, { limit = SHIPPED_NEIGHBOURS } = {}): RankerTables {
  const baskets = basketsOf(log);
  const items = shop.itemIds.length;
  return {
    transitions: countTransitions(baskets, items, { limit }),
    rules: countSequentialRules(baskets, items, { limit }),
    similarities: countCooccurrence(baskets, items, { limit }),
    popularity: countPopularity(baskets, items),
    priceQuantiles: shop.priceQuantiles,
    textMean: meanTextVector(shop),
  };
}

/** Trains the demand LSTM on everything before `until`: each item seven times, for weeks that end on each weekday. */
export async function trainShopDemand(shop: Shop, until: number, kernels: TrainingKernels, device: Device, seed: number) {
  const lines = { item: shop.log.item, time: shop.log.time, quantity: shop.quantity };
  const series = Array.from({ length: 7 }, (_, day) => weeklySales(lines, shop.itemIds.length, until - day * SECONDS_PER_DAY)).flat();
  return trainDemand(series, { kernels, device, seed });
}

/** The demand model's view of the catalogue as of any day, each day once. */
export function demandByDay(shop: Shop, tensors: DemandTensors | null, device: Device): (seconds: number) => Promise<DemandFigures> {
  const cache = new ItemDemandCache(tensors && DemandModel.load(tensors, device));
  const lines = { item: shop.log.item, time: shop.log.time, quantity: shop.quantity };
  const days = new Map<number, Promise<DemandFigures>>();
  const figures = async (asOf: number): Promise<DemandFigures> => {
    const series = weeklySales(lines, shop.itemIds.length, asOf, { from: asOf - WINDOW_WEEKS * SECONDS_PER_WEEK });
    const demand = await cache.demandOf(series.map((one, item) => ({ id: shop.itemIds[item]!, series: one })));
    return {
      forecast: Float32Array.from(demand, ({ forecast }) => forecast ?? NaN),
      lastWeek: Float32Array.from(demand, ({ lastWeek }) => lastWeek ?? NaN),
      lastFourWeeks: Float32Array.from(demand, ({ lastFourWeeks }) => lastFourWeeks ?? NaN),
    };
  };
  return (seconds) => {
    const asOf = Math.floor(seconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
    const known = days.get(asOf) ?? figures(asOf);
    days.set(asOf, known);
    return known;
  };
}

export interface ShopHeadOptions {
  /** Unix seconds; the head learns from the sessions between `from` and `until`. */
  readonly from: number;
  readonly until: number;
  readonly without: readonly Part[];
  readonly training: HeadTrainingOptions;
}

/** Trains the joint head on the validation period, with models and tables that end before it. */
export async function trainShopHead(
  shop: Shop,
  models: { readonly interest: SafeTensors | null; readonly demand: DemandTensors | null; readonly embedding: number; readonly hidden: number },
  kernels: TrainingKernels,
  device: Device,
  { from, until, without, training }: ShopHeadOptions,
): Promise<TrainedHead> {
  const dimensions = { text: shop.textDimensions, embedding: models.embedding, hidden: models.hidden };
  const interest = models.interest && new InterestModel(models.interest, dimensions, shop.itemIds, device);
  const ranker = new Ranker({ interest, head: null, tables: countTables(shop, logBefore(shop.log, from)), device });
  const queries = await collectHeadQueries(
    {
      ranker,
      histories: groupByUser(logBefore(shop.log, until)),
      from,
      itemIds: shop.itemIds,
      textVectors: shop.textVectors,
      textDimensions: shop.textDimensions,
      pricePositions: shop.pricePositions,
      demandAt: demandByDay(shop, models.demand, device),
    },
    createRandom(training.seed),
  );
  interest?.dispose();
  if (queries.length < FEWEST_QUERIES) {
    throw new RecommenderError('INVALID_DATA', `The validation days have ${queries.length} sessions of two items or more to learn the head from; ${FEWEST_QUERIES} are the least. Choose more --validation-days.`);
  }
  const columns = featureNames(without).map((name) => FEATURE_NAMES.indexOf(name));
  return trainHead(queries, columns, interest ? models.hidden : 0, kernels, training);
}
