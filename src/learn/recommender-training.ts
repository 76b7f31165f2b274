import type { Device } from '../compute/device.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { RecommenderError } from '../errors.ts';
import { DemandModel, type DemandTensors } from '../forecast/demand.ts';
import { ItemDemandCache } from '../forecast/item-demand.ts';
import { InterestModel } from '../forecast/interest.ts';
import { weeklySales } from '../forecast/weekly-sales.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { createRandom } from '../lib/random.ts';
import type { SequenceKind } from '../packs/sequence-kinds.ts';
import { FEATURE_NAMES, type FeatureName } from '../rank/feature-schema.ts';
import { createOptionalRankers } from '../rank/optional-rankers.ts';
import type { OptionalTables } from '../rank/optional-tables.ts';
import { Ranker, type RankerTables } from '../rank/ranker.ts';
import { fitBilinearText } from '../rank/simple/bilinear-text.ts';
import { EASE_ITEMS, fitEase, largestWeights } from '../rank/simple/ease.ts';
import { countCooccurrence } from '../rank/simple/item-knn.ts';
import { countTransitions } from '../rank/simple/markov.ts';
import { countPopularity } from '../rank/simple/popularity.ts';
import { countRepeats } from '../rank/simple/repeat-habits.ts';
import { countSequentialRules } from '../rank/simple/sequential-rules.ts';
import { newestSessions } from '../rank/simple/vmis-knn.ts';
import { WINDOW_WEEKS } from '../forecast/demand-input.ts';
import { trainDemand } from './demand-training.ts';
import { collectHeadQueries, type DemandFigures } from './head-queries.ts';
import { trainHead, type HeadTrainingOptions, type TrainedHead } from './head-training.ts';
import { groupByUser, type LogColumns } from './histories.ts';
import { QUESTIONS, type Protocol } from './protocol.ts';
import { heldFrom } from './split-log.ts';
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
  text: ['textAffinity', 'textMean', 'textLast', 'titleAffinity', 'bilinear'],
  demand: ['demand', 'demandTrend'],
};

/** Which tables a pack has beside those that every pack has. */
export interface TableOptions {
  /** EASE and the bilinear form over texts: each takes seconds to fit and some hundred kilobytes of the pack. */
  readonly fitted: boolean;
  /** How many of the newest sessions are published with the pack for VMIS-kNN; 0 publishes none. */
  readonly shipSessions: number;
}

export const DEFAULT_TABLES: TableOptions = { fitted: false, shipSessions: 0 };

/** The features that a head without some parts reads, of a pack with these tables. */
export function featureNames(without: readonly Part[], tables: TableOptions = DEFAULT_TABLES): FeatureName[] {
  const absent: FeatureName[] = [...(tables.fitted ? [] : (['ease', 'bilinear'] as const)), ...(tables.shipSessions > 0 ? [] : (['sessions'] as const))];
  const left = new Set([...without.flatMap((part) => FEATURES_OF[part]), ...absent]);
  return FEATURE_NAMES.filter((name) => !left.has(name));
}

/**
 * Counts the simple rankers' tables over a log; EASE is left out where the catalogue is too large for it. In leave-one-out a long basket is a
 * history, no wholesale order.
 */
export function countTables(shop: Shop, log: LogColumns, protocol: Protocol, { fitted, shipSessions }: TableOptions = DEFAULT_TABLES): RankerTables & OptionalTables {
  const baskets = basketsOf(log, { repeats: !QUESTIONS[protocol].leavesOut });
  const items = shop.itemIds.length;
  const limit = SHIPPED_NEIGHBOURS;
  const hasText = shop.textDimensions > 0 && shop.titles.some((title) => title !== '');
  const hasPairs = baskets.offsets.some((end, basket) => basket > 0 && end - baskets.offsets[basket - 1]! > 1);
  return {
    transitions: countTransitions(baskets, items, { limit }),
    rules: countSequentialRules(baskets, items, { limit }),
    similarities: countCooccurrence(baskets, items, { limit, ...(protocol === 'leave-one-out' && { maxLines: Infinity }) }),
    popularity: countPopularity(baskets, items),
    priceQuantiles: shop.priceQuantiles,
    textMean: meanTextVector(shop),
    neutralTexts: null,
    repeats: countRepeats(baskets, items),
    ease: fitted && items <= EASE_ITEMS ? largestWeights(fitEase(baskets, items), items, { limit }) : null,
    bilinear: fitted && hasText && hasPairs ? fitBilinearText(baskets, shop.textVectors, shop.textDimensions).weights : null,
    sessions: shipSessions > 0 ? newestSessions(baskets, shipSessions) : null,
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
  readonly protocol: Protocol;
  /** The rows of the shop's log that come before the validation part, which the head learns from. */
  readonly learnt: LogColumns;
  readonly onProgress?: (share: number) => void;
  readonly without: readonly Part[];
  readonly tables: TableOptions;
  readonly training: HeadTrainingOptions;
}

/** Outside a shop's own days there are no sales as of a day. */
function noDemand({ itemIds }: Shop): () => Promise<DemandFigures> {
  const nothing = new Float32Array(itemIds.length).fill(NaN);
  return () => Promise.resolve({ forecast: nothing, lastWeek: nothing, lastFourWeeks: nothing });
}

function tooFew(protocol: Protocol, queries: number): string {
  return protocol === 'temporal'
    ? `The validation days have ${queries} sessions of two items or more to learn the head from; ${FEWEST_QUERIES} are the least. Choose more --validation-days.`
    : `The validation part has ${queries} questions to learn the head from; ${FEWEST_QUERIES} are the least. Bring a longer log.`;
}

/** Trains the joint head on the validation part, with models and tables that end before it. */
export async function trainShopHead(
  shop: Shop,
  models: { readonly interest: SafeTensors | null; readonly demand: DemandTensors | null; readonly embedding: number; readonly hidden: number; readonly model?: SequenceKind },
  kernels: TrainingKernels,
  device: Device,
  { protocol, learnt, without, tables, training, onProgress }: ShopHeadOptions,
): Promise<TrainedHead> {
  const dimensions = { text: shop.textDimensions, embedding: models.embedding, hidden: models.hidden, ...(models.model && { model: models.model }) };
  const interest = models.interest && new InterestModel(models.interest, dimensions, shop.itemIds, device);
  const counted = countTables(shop, learnt, protocol, tables);
  const optional = createOptionalRankers(counted, { items: shop.itemIds.length, textMean: counted.textMean });
  const ranker = new Ranker({ interest, head: null, tables: counted, optional, device });
  const repeats = !QUESTIONS[protocol].leavesOut;
  const histories = groupByUser(shop.log, { repeats });
  const queries = await collectHeadQueries(
    {
      protocol,
      ranker,
      histories,
      heldFrom: heldFrom({ training: groupByUser(learnt, { repeats }), refit: histories }),
      itemIds: shop.itemIds,
      titles: shop.titles,
      textVectors: shop.textVectors,
      textDimensions: shop.textDimensions,
      pricePositions: shop.pricePositions,
      demandAt: protocol === 'temporal' ? demandByDay(shop, models.demand, device) : noDemand(shop),
      ...(onProgress && { onProgress }),
    },
    createRandom(training.seed),
  );
  interest?.dispose();
  if (queries.length < FEWEST_QUERIES) {
    throw new RecommenderError('INVALID_DATA', tooFew(protocol, queries.length));
  }
  const columns = featureNames(without, tables).map((name) => FEATURE_NAMES.indexOf(name));
  return trainHead(queries, columns, interest ? models.hidden : 0, kernels, training);
}
