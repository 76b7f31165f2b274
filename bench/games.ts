import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import { GAMES, loadGames, type Games } from './games/data.ts';
import { gamesInterest, type GamesInterest } from './games/interest.ts';
import { COUNTED, HEAD_LISTS, judgeLists, readLists, single, TEXT } from './games/lists.ts';
import { judgeNewItems } from './games/new-items.ts';
import { gamesFeatures, headOver, validationQueries, type ReadList, type ScoreList } from './games/rankers.ts';
import { summarise, type Bench, type BenchRow, type BenchTableCell } from './harness.ts';
import { hasPublicData } from './public-data.ts';

const TASK = `${GAMES}, 20 candidates`;
const METRIC = 'ndcg@10';

/** LLMRank's table (Hou et al. 2024), UniSRec zero-shot from the same, on these very candidates. */
const PUBLISHED: readonly (readonly [string, number])[] = [
  ['popularity', 0.5296],
  ['BM25', 0.3461],
  ['UniSRec, zero-shot', 0.4071],
  ['large language model, zero-shot', 0.535],
  ['SASRec, trained', 0.7592],
];

type AddRow = (ranker: string, lists: readonly ReadList[], score: ScoreList) => Promise<void>;

/** Rows of Amazon Games for the table of tables: published figures first, then the simple rankers, then ours. */
export async function gamesTables(games: Games): Promise<BenchTableCell[]> {
  const cells: BenchTableCell[] = PUBLISHED.map(([ranker, value]) => ({ task: TASK, ranker: `published: ${ranker}`, metric: METRIC, value, low: value, high: value, n: games.lists.length }));
  const samples = new Map<string, Sample[]>();
  const add: AddRow = async (ranker, lists, score) => {
    samples.set(ranker, await judgeLists(games, lists, score));
    const figure = estimate(samples.get(ranker)!);
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
  return [...cells, ...pairedCells(samples)];
}

/** Each of ours less the best simple ranker, on the same lists. */
function pairedCells(samples: ReadonlyMap<string, readonly Sample[]>): BenchTableCell[] {
  const simple = [...samples].filter(([ranker]) => ranker.startsWith('simple'));
  const mean = (own: readonly Sample[]): number => own.reduce((sum, { value }) => sum + value, 0) / own.length;
  const [best, theirs] = simple.reduce((one, other) => (mean(other[1]) > mean(one[1]) ? other : one));
  return [...samples].filter(([ranker]) => ranker.startsWith('ours')).map(([ranker, own]) => ({ task: TASK, ranker: `${ranker} - ${best}`, metric: METRIC, ...estimate(own.map(({ customer, value }, list) => ({ customer, value: value - theirs[list]!.value }))) }));
}

async function addTrained(games: Games, { tuned, shipped }: GamesInterest, add: AddRow): Promise<void> {
  const queries = await validationQueries(games, await gamesFeatures(games, { held: 2, interest: tuned }), HEAD_LISTS);
  const now = await readLists(games, await gamesFeatures(games, { held: 1, interest: shipped }));
  await add('ours, trained: interest LSTM alone', now, single('interest'));
  await add('ours, trained: full', now, await headOver([...TEXT, 'popularity', ...COUNTED, 'interest'], queries));
}

const GOALS: readonly { readonly ranker: string; readonly goal: number; readonly aim?: number }[] = [
  { ranker: 'ours, text only: vectors and words', goal: 0.58, aim: 0.62 },
  { ranker: 'ours, text and popularity', goal: 0.7 },
  { ranker: 'ours, trained: full', goal: 0.78 },
];

/** The same as a bench of its own, with the goals, and items that no training has met (`BENCH_WITHOUT=lstm` leaves out what takes minutes to train). */
export const games: Bench = async () => {
  if (!hasPublicData(GAMES)) {
    console.log(`Skipped: ${GAMES} is not there.`);
    return { rows: [], tables: [] };
  }
  const data = await loadGames();
  const tables = await gamesTables(data);
  const newItems = await judgeNewItems(data);
  const rows = GOALS.flatMap(({ ranker, goal, aim }): BenchRow[] => {
    const cell = tables.find((one) => one.ranker === ranker);
    return cell ? [summarise({ name: `${TASK}: ${ranker}`, unit: METRIC, ours: [cell.value], goal, ...(aim === undefined ? {} : { aim }), bound: 'least' })] : [];
  });
  return { rows: [...rows, ...newItems.rows], tables: [...tables, ...newItems.tables] };
};
