import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import type { SafeTensors } from '../src/lib/safetensors.ts';
import type { FeatureName } from '../src/rank/feature-schema.ts';
import { GAMES, loadGames, type Games } from './games/data.ts';
import { gamesInterest } from './games/interest.ts';
import { gamesFeatures, headOver, validationQueries, valuesOf, type GamesFeatures, type ReadList, type ScoreList } from './games/rankers.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';
import { hasPublicData } from './public-data.ts';

const TASK = `${GAMES}, 20 candidates`;
const METRIC = 'ndcg@10';
const BEST = 10;
const HEAD_LISTS = 16_000; // of 50,000 users: the head has a few thousand weights

/** LLMRank's table (Hou et al. 2024), UniSRec zero-shot from the same, on these very candidates. */
const PUBLISHED: readonly (readonly [string, number])[] = [
  ['popularity', 0.5296],
  ['BM25', 0.3461],
  ['UniSRec, zero-shot', 0.4071],
  ['large language model, zero-shot', 0.535],
  ['SASRec, trained', 0.7592],
];

const TEXT: readonly FeatureName[] = ['textAffinity', 'textMean', 'textLast', 'titleAffinity', 'historyLength', 'sessionLength'];
const COUNTED: readonly FeatureName[] = ['markov', 'rules', 'lastRules', 'knn'];

type AddRow = (ranker: string, lists: readonly ReadList[], score: ScoreList) => Promise<void>;

/** Rows of Amazon Games for the table of tables: published figures first, then the simple rankers, then ours. */
export async function gamesTables(): Promise<BenchTableCell[]> {
  const games = await loadGames();
  const cells: BenchTableCell[] = PUBLISHED.map(([ranker, value]) => ({ task: TASK, ranker: `published: ${ranker}`, metric: METRIC, value, low: value, high: value, n: games.lists.length }));
  const add: AddRow = async (ranker, lists, score) => {
    const figure = estimate(await judgeLists(games, lists, score));
    console.log(`${ranker}: ${figure.value.toFixed(4)}`);
    cells.push({ task: TASK, ranker, metric: METRIC, ...figure });
  };
  const before = await gamesFeatures(games, { held: 2 });
  const earlier = await readLists(games, before);
  for (const name of ['popularity', 'lastRules', 'rules', 'markov', 'knn'] as const) await add(`simple: ${name}`, earlier, single(name));
  await add('ours, text only: vectors', earlier, single('textAffinity'));
  await add('ours, text only: vectors and words', earlier, single('titleAffinity'));
  const queries = await validationQueries(games, before, HEAD_LISTS);
  const now = await readLists(games, await gamesFeatures(games, { held: 1 }));
  // What is counted ends with the item before the target, as it does for the lists that the head learnt from.
  await add('ours, text and popularity', now, await headOver([...TEXT, 'popularity'], queries));
  await add('ours, trained: head without the LSTM', now, await headOver([...TEXT, 'popularity', ...COUNTED], queries));
  if (process.env.BENCH_WITHOUT !== 'lstm') {
    const interest = await gamesInterest(games);
    await addTrained(games, interest, add);
  }
  return cells;
}

async function addTrained(games: Games, interest: SafeTensors, add: AddRow): Promise<void> {
  const queries = await validationQueries(games, await gamesFeatures(games, { held: 2, interest }), HEAD_LISTS);
  const now = await readLists(games, await gamesFeatures(games, { held: 1, interest }));
  await add('ours, trained: interest LSTM alone', now, single('interest'));
  await add('ours, trained: full', now, await headOver([...TEXT, 'popularity', ...COUNTED, 'interest'], queries));
}

const single = (name: FeatureName): ScoreList => ({ features }) => Promise.resolve(valuesOf(features, name));

/** Every list of the test, after all of the user's items but the target. */
async function readLists({ lists, sequences }: Games, source: GamesFeatures): Promise<ReadList[]> {
  const read: ReadList[] = [];
  for (const { user, candidates } of lists) read.push(await source.read(sequences[user]!.slice(0, -1), candidates));
  return read;
}

/** NDCG@10 of each list's target; equal scores share the mean of their places. */
async function judgeLists({ lists, sequences }: Games, read: readonly ReadList[], score: ScoreList): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [at, { user, candidates }] of lists.entries()) {
    const scores = await score(read[at]!);
    const own = scores[candidates.indexOf(sequences[user]!.at(-1)!)]!;
    const above = scores.filter((other) => other > own).length;
    const equal = scores.filter((other) => other === own).length;
    const place = above + (equal - 1) / 2;
    samples.push({ customer: user, value: place < BEST ? 1 / Math.log2(place + 2) : 0 });
  }
  return samples;
}

const GOALS: readonly { readonly ranker: string; readonly goal: number; readonly aim?: number }[] = [
  { ranker: 'ours, text only: vectors and words', goal: 0.58, aim: 0.62 },
  { ranker: 'ours, text and popularity', goal: 0.7 },
  { ranker: 'ours, trained: full', goal: 0.78 },
];

/** The same as a bench of its own, with the goals (`BENCH_WITHOUT=lstm` leaves out what takes minutes to train). */
export const games: Bench = async () => {
  if (!hasPublicData(GAMES)) {
    console.log(`Skipped: ${GAMES} is not there.`);
    return { rows: [], tables: [] };
  }
  const tables = await gamesTables();
  const rows = GOALS.flatMap(({ ranker, goal, aim }): BenchRow[] => {
    const cell = tables.find((one) => one.ranker === ranker);
    return cell ? [summarise({ name: `${TASK}: ${ranker}`, unit: METRIC, ours: [cell.value], goal, ...(aim === undefined ? {} : { aim }), bound: 'least' })] : [];
  });
  return { rows, tables };
};
