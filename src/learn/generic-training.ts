import { PRICE_QUANTILES } from '../behaviour/sequence.ts';
import type { Device } from '../compute/device.ts';
import type { TrainingKernels } from '../compute/training-kernels.ts';
import { createRandom } from '../lib/random.ts';
import { FEATURE_NAMES, type FeatureName } from '../rank/feature-schema.ts';
import { NO_OPTIONAL_TABLES, type OptionalTables } from '../rank/optional-tables.ts';
import { Ranker, type RankerTables } from '../rank/ranker.ts';
import { countCooccurrence } from '../rank/simple/item-knn.ts';
import { collectGenericQueries } from './generic-queries.ts';
import { trainHead, type HeadTrainingOptions, type TrainedHead } from './head-training.ts';
import { groupByUser, logBefore } from './histories.ts';
import { demandByDay } from './recommender-training.ts';
import { basketsOf, meanTextVector, type Shop } from './shop.ts';

/**
 * What a shop without logs can tell of a candidate and of a shopper: nothing that names an item of another shop, and no price, since a
 * price says something only beside its catalogue's.
 */
export const GENERIC_FEATURES: readonly FeatureName[] = [
  'popularity7d',
  'popularity28d',
  'boughtBefore',
  'sinceLast',
  'textAffinity',
  'textMean',
  'textLast',
  'titleAffinity',
  'serverRank',
  'historyLength',
  'sessionLength',
];

/** How many texts the mean of other shops counts as beside the candidates' own; of 0, 5, 20 and 50 the best on Amazon Games. */
export const NEUTRAL_TEXTS = 5;

/** Tables of a pack that knows no item. */
export function genericTables(textMean: Float32Array): RankerTables & OptionalTables {
  const none = { offsets: new Int32Array(1), items: new Uint16Array(0), weights: new Float32Array(0) };
  return {
    transitions: none,
    rules: none,
    similarities: none,
    popularity: new Float32Array(0),
    priceQuantiles: new Float32Array(PRICE_QUANTILES),
    textMean,
    neutralTexts: NEUTRAL_TEXTS,
    repeats: null,
    ...NO_OPTIONAL_TABLES,
  };
}

/** Trains a head for any shop on the sessions of one shop between `from` and `until`; no item of it is known to the head. */
export async function trainGenericHead(
  shop: Shop,
  { from, until }: { readonly from: number; readonly until: number },
  kernels: TrainingKernels,
  device: Device,
  training: HeadTrainingOptions,
): Promise<{ readonly head: TrainedHead; readonly tables: RankerTables & OptionalTables; readonly lists: number }> {
  const tables = genericTables(meanTextVector(shop));
  const queries = await collectGenericQueries(
    {
      shop,
      histories: groupByUser(logBefore(shop.log, until)),
      from,
      ranker: new Ranker({ interest: null, head: null, tables, device }),
      similarities: countCooccurrence(basketsOf(logBefore(shop.log, from)), shop.itemIds.length, { limit: 60 }),
      demandAt: demandByDay(shop, null, device),
    },
    createRandom(training.seed),
  );
  const head = trainHead(queries, GENERIC_FEATURES.map((name) => FEATURE_NAMES.indexOf(name)), 0, kernels, training);
  return { head, tables, lists: queries.length };
}
