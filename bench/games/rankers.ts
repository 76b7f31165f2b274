import { createPlainDevice } from '../../src/cli/device.ts';
import { createTrainingKernels } from '../../src/compute/create-training-kernels.ts';
import { InterestModel } from '../../src/forecast/interest.ts';
import type { HeadQuery } from '../../src/learn/head-queries.ts';
import { DEFAULT_HEAD_TRAINING, trainHead } from '../../src/learn/head-training.ts';
import { countTables } from '../../src/learn/recommender-training.ts';
import { createRandom } from '../../src/lib/random.ts';
import { parseSafetensors, writeSafetensors, type SafeTensors } from '../../src/lib/safetensors.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA, type FeatureName } from '../../src/rank/feature-schema.ts';
import { FEATURE_COUNT, type CandidateView } from '../../src/rank/features.ts';
import { JointHead } from '../../src/rank/head.ts';
import { Ranker } from '../../src/rank/ranker.ts';
import type { ShopperEvent } from '../../src/rank/shopper-view.ts';
import { CANDIDATES, gamesShop, type Games, type Sequence } from './data.ts';
import { GAMES_TRAINING } from './interest.ts';

/** Features of a list and the shopper's h_u. */
export interface ReadList {
  /** [candidates, FEATURE_COUNT] */
  readonly features: Float32Array;
  readonly hidden: Float32Array;
}

/** Scores the candidates of a list, whose features were read once for all rankers. */
export type ScoreList = (list: ReadList) => Promise<Float32Array>;

/** Features of our ranking code for one shop of games. */
export interface GamesFeatures {
  /** `history` is oldest first. */
  read(history: Sequence, candidates: readonly number[]): Promise<ReadList>;
}

export interface FeatureOptions {
  /** How many of each user's last items the counted tables do not see. */
  readonly held: number;
  readonly interest?: SafeTensors;
  readonly keep?: (item: number) => boolean;
  /** Items shown as if nobody had met them yet: from their lists a head learns what a missing count means. */
  readonly isMasked?: (item: number) => boolean;
}

/** Our ranker over the tables counted on the log; without `interest` it has no LSTM. */
export async function gamesFeatures(games: Games, { held, interest, keep, isMasked = () => false }: FeatureOptions): Promise<GamesFeatures> {
  const shop = gamesShop(games, held, keep);
  const device = await createPlainDevice();
  const model = interest ? new InterestModel(interest, { text: games.dimensions, embedding: GAMES_TRAINING.embedding, hidden: GAMES_TRAINING.hidden }, shop.itemIds, device) : null;
  const ranker = new Ranker({ interest: model, head: null, tables: countTables(shop, shop.log, 'leave-one-out', { fitted: false, shipSessions: 0 }), device });
  const indexOf = new Int32Array(games.itemIds.length).fill(-1);
  shop.rows.forEach((item, index) => (indexOf[item] = isMasked(item) ? -1 : index));
  // Each item is one object for all lists: what the ranker knows of a text vector it knows by identity.
  const views = games.itemIds.map((id, item): CandidateView => ({
    id: isMasked(item) ? `new ${id}` : id, // an id that the model does not know
    index: indexOf[item]!,
    textVector: games.vectors.subarray(item * games.dimensions, (item + 1) * games.dimensions),
    title: games.titles[item]!,
    pricePosition: null,
    demandForecast: null,
    lastWeek: null,
    lastFourWeeks: null,
    serverPosition: null,
  }));
  const eventOf = (item: number, time: number): ShopperEvent => {
    const { id, index, textVector } = views[item]!;
    return { itemId: id, index, kind: 'view', time, pricePosition: null, textVector, text: games.titles[item]! };
  };
  return {
    async read(history, candidates) {
      const events = history.map(eventOf);
      const state = await ranker.advance(await ranker.initialState(), events, null);
      const shopper = await ranker.prepare({ events, state }, history.length);
      return { features: await ranker.features(shopper, candidates.map((item) => views[item]!)), hidden: shopper.hidden.slice() };
    },
  };
}

/** A feature of each candidate; 0 where it is missing, since nobody has met the item. */
export function valuesOf(features: Float32Array, name: FeatureName): Float32Array {
  const column = FEATURE_NAMES.indexOf(name);
  return Float32Array.from({ length: features.length / FEATURE_COUNT }, (_, row) => features[row * FEATURE_COUNT + column]! || 0);
}

const SEED = 7;

/** Lists of the validation's targets among random others, of the first `users` in a seeded order; nothing is read of items that `keep` leaves out. */
export async function validationQueries(games: Games, source: GamesFeatures, users: number, keep: (item: number) => boolean = () => true): Promise<HeadQuery[]> {
  const random = createRandom(SEED);
  const chosen = random.shuffle(games.sequences.map((_, user) => user)).slice(0, users);
  const queries: HeadQuery[] = [];
  for (const user of chosen) {
    const sequence = games.sequences[user]!;
    const history = sequence.slice(0, -2).filter(keep);
    const target = sequence.at(-2)!;
    if (history.length === 0 || !keep(target)) continue;
    const items = new Set([target]);
    while (items.size < CANDIDATES) {
      const item = random.integer(games.itemIds.length);
      if (keep(item) && !history.includes(item)) items.add(item);
    }
    queries.push({
      shopper: user,
      events: history.length,
      items: Int32Array.from(items),
      ...(await source.read(history, [...items])),
      offsets: new Float32Array(CANDIDATES),
      target: 0,
      later: [0],
      kind: 'catalogue',
      found: true,
    });
  }
  return queries;
}

/** A head over some features, trained on the validation's lists. */
export async function headOver(names: readonly FeatureName[], queries: readonly HeadQuery[]): Promise<ScoreList> {
  const context = queries[0]!.hidden.length;
  const kernels = createTrainingKernels({});
  const { tensors, history } = trainHead(queries, names.map((name) => FEATURE_NAMES.indexOf(name)), context, kernels, DEFAULT_HEAD_TRAINING);
  console.log(`games: head over ${names.length} features, held-out lists NDCG@10 ${history.at(-1)!.ndcg.toFixed(4)}`);
  const stored = parseSafetensors(writeSafetensors([...tensors].map(([name, { shape, values }]) => [name, { dtype: 'F32' as const, shape, values }] as const)));
  const head = new JointHead(stored, { ...FEATURE_SCHEMA, names }, context, await createPlainDevice());
  return ({ features, hidden }) => head.score(features, hidden);
}
