import { estimate, type Sample } from '../../src/evaluate/bootstrap.ts';
import type { HeadQuery } from '../../src/learn/head-queries.ts';
import { contentKey } from '../../src/lib/hash.ts';
import { summarise, type BenchResult } from '../harness.ts';
import { GAMES, type Games } from './data.ts';
import { gamesInterest } from './interest.ts';
import { COUNTED, HEAD_LISTS, judgeLists, readLists, single, TEXT } from './lists.ts';
import { gamesFeatures, headOver, validationQueries, type ReadList, type ScoreList } from './rankers.ts';

const PARTS = 10;
const SHORT = { maxEpochs: 4, refitEpochs: 1 }; // whether training helps at all is asked, not by how much
const UNTRAINED = 'untrained: text only';

/**
 * One item in ten is new: no row of it is in any training. The test asks for targets among all items, as the other rows of games do, with histories
 * as the device has them, new items included. The head learns what a missing count means from another tenth of the items, which
 * its lists show as new.
 */
export async function judgeNewItems(games: Games): Promise<BenchResult> {
  const part = games.itemIds.map((id) => parseInt(contentKey(`new items ${id}`).slice(0, 8), 16) % PARTS);
  const keep = (item: number): boolean => part[item] !== 0;
  const isMasked = (item: number): boolean => part[item] === 1;
  const interest = process.env.BENCH_WITHOUT === 'lstm' ? null : await gamesInterest(games, { keep, ...SHORT });
  const queriesOf = async (shownAsNew: (item: number) => boolean): Promise<HeadQuery[]> =>
    validationQueries(games, await gamesFeatures(games, { held: 2, isMasked: shownAsNew, keep, ...(interest && { interest: interest.tuned }) }), HEAD_LISTS, keep);
  const queries = await queriesOf(isMasked);
  const read = await readLists(games, await gamesFeatures(games, { held: 1, keep, ...(interest && { interest: interest.shipped }) }));
  const names = [...TEXT, 'popularity', ...COUNTED] as const;
  const rankers = new Map<string, ScoreList>([
    ['popularity', single('popularity')],
    [UNTRAINED, single('titleAffinity')],
    ['head without the LSTM whose lists show no item as new', await headOver(names, await queriesOf(() => false))],
    ['trained: head without the LSTM', await headOver(names, queries)],
    ...(interest ? ([['trained: full', await headOver([...names, 'interest'], queries)]] as const) : []),
  ]);
  return compare(games, read, rankers, keep);
}

/** All targets and those that are new, each ranker and the trained ones less the untrained, in pairs. */
async function compare(games: Games, read: readonly ReadList[], rankers: ReadonlyMap<string, ScoreList>, keep: (item: number) => boolean): Promise<BenchResult> {
  const samples = new Map<string, Sample[]>();
  for (const [name, score] of rankers) samples.set(name, await judgeLists(games, read, score));
  const untrained = samples.get(UNTRAINED)!;
  for (const [name, own] of [...samples].filter(([trained]) => trained.startsWith('trained'))) {
    samples.set(`${name} - ${UNTRAINED}`, own.map(({ customer, value }, list) => ({ customer, value: value - untrained[list]!.value })));
  }
  const isNew = (list: number): boolean => !keep(games.sequences[games.lists[list]!.user]!.at(-1)!);
  const tables = (['all targets', 'new targets'] as const).flatMap((targets) =>
    [...samples].map(([ranker, own]) => ({ task: `${GAMES}, 10 % of the items new, ${targets}`, ranker, metric: 'ndcg@10', ...estimate(own.filter((_, list) => targets === 'all targets' || isNew(list))) })),
  );
  const rows = tables.filter(({ ranker }) => ranker.includes(' - ')).map(({ task, ranker, low }) => summarise({ name: `${task}: ${ranker}, low end of the interval`, unit: 'ndcg@10', ours: [low], goal: 0, bound: 'least' }));
  return { rows, tables };
}
