import { RankerFigures, type ListSurroundings } from './figures.ts';
import { DEPTH } from './metrics.ts';
import type { DividedRows } from './protocol.ts';
import { createQuery, type CatalogueRanker, type EvaluationLog } from './query.ts';
import { rankList } from './ranked-list.ts';
import { groupRows } from './sequences.ts';

export interface EvaluationOptions {
  /** Each shopper's own candidates, as items; whoever has none is not asked. Default: the whole catalogue. */
  readonly candidatesOf?: (shopper: number) => Int32Array | undefined;
  readonly onProgress?: (done: number, all: number) => void;
}

/** What all rankers answered. */
export interface Answers {
  /** Rows of the log that were asked for, in the order of the figures. */
  readonly targets: Int32Array;
  readonly rankers: readonly RankerFigures[];
  /** Targets that their shopper's candidates lack: nobody can find them, and they count so. */
  readonly outsideCandidates: number;
  /** Items ranked, over all rankers and targets. */
  readonly itemsRanked: number;
}

/**
 * Lets every ranker rank all items (or the shopper's candidates) for each target, one target at a time: what is kept is a row of figures,
 * never a list of all items. Where the protocol says so, items of the open session are left out of a ranking of the catalogue.
 */
export async function rankTargets(log: EvaluationLog, divided: DividedRows, targets: Int32Array, rankers: readonly CatalogueRanker[], surroundings: ListSurroundings, { candidatesOf, onProgress }: EvaluationOptions = {}): Promise<Answers> {
  // Shopper after shopper, each in order of time: a state then goes on from target to target.
  const byShopper = groupRows(Int32Array.from(targets, (row) => log.user[row]!), log.users);
  const ordered = Int32Array.from(byShopper.rows, (at) => targets[at]!).filter((row) => !candidatesOf || candidatesOf(log.user[row]!) !== undefined);
  const figures = rankers.map(({ name }) => new RankerFigures(name, ordered.length, surroundings));
  const scores = new Float32Array(log.items);
  const allowed = new Uint8Array(log.items).fill(candidatesOf ? 0 : 1);
  let outsideCandidates = 0;
  let itemsRanked = 0;
  for (const [at, row] of ordered.entries()) {
    const query = createQuery(log, divided, row);
    const changed = candidatesOf ? candidatesOf(query.shopper)! : divided.leavesOutSession ? Int32Array.from(query.context.session, (seen) => log.item[seen]!) : NOTHING;
    for (const item of changed) allowed[item] = candidatesOf ? 1 : 0;
    if (allowed[query.target] === 0) outsideCandidates++;
    for (const [place, ranker] of rankers.entries()) {
      await ranker.score(query, scores);
      figures[place]!.add(at, rankList(scores, { allowed, ties: surroundings.itemCounts, target: query.target, depth: DEPTH, probability: ranker.probability }), query.target);
      itemsRanked += candidatesOf ? changed.length : log.items;
    }
    for (const item of changed) allowed[item] = candidatesOf ? 0 : 1;
    onProgress?.(at + 1, ordered.length);
  }
  return { targets: ordered, rankers: figures, outsideCandidates, itemsRanked };
}

const NOTHING = new Int32Array(0);

/** What lists are judged against: counts before the test, and the items' texts. */
export function surroundingsOf(log: EvaluationLog, { beforeTest }: DividedRows, isPositive: Uint8Array, textVectors: Float32Array, dimensions: number): ListSurroundings {
  const itemCounts = new Float32Array(log.items);
  const itemUsers = new Float32Array(log.items);
  let interactions = 0;
  for (const row of beforeTest) {
    if (isPositive[row] === 0) continue;
    itemCounts[log.item[row]!]! += 1;
    interactions++;
  }
  const { rows, offsets } = groupRows(Int32Array.from(beforeTest, (row) => log.user[row]!), log.users);
  const lastUser = new Int32Array(log.items).fill(-1);
  let users = 0;
  for (let user = 0; user < log.users; user++) {
    let hasAny = false;
    for (let at = offsets[user]!; at < offsets[user + 1]!; at++) {
      const row = beforeTest[rows[at]!]!;
      if (isPositive[row] === 0) continue;
      hasAny = true;
      const item = log.item[row]!;
      if (lastUser[item] !== user) itemUsers[item]! += 1;
      lastUser[item] = user;
    }
    if (hasAny) users++;
  }
  return { items: log.items, textVectors, dimensions, itemCounts, interactions, itemUsers, users };
}
