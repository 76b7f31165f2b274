import { createBilinearText, fitBilinearText } from '../rank/simple/bilinear-text.ts';
import { createEase, EASE_ITEMS, fitEase, largestWeights } from '../rank/simple/ease.ts';
import { countCooccurrence, createItemKnn } from '../rank/simple/item-knn.ts';
import { countTransitions, createMarkov } from '../rank/simple/markov.ts';
import { createPersonalFrequency } from '../rank/simple/personal-frequency.ts';
import { createPopularity, createRecentPopularity } from '../rank/simple/popularity.ts';
import { countSequentialRules, createSequentialRules } from '../rank/simple/sequential-rules.ts';
import type { SimpleRanker } from '../rank/simple/simple-ranker.ts';
import { createVmisKnn, indexSessions } from '../rank/simple/vmis-knn.ts';
import { basketsOfRows, rowBaskets } from './evaluation-baskets.ts';
import type { DividedRows } from './protocol.ts';
import { positiveRows, type CatalogueRanker, type EvaluationLog } from './query.ts';

export interface BaselineOptions {
  /** [items] interactions before the test. */
  readonly itemCounts: Float32Array;
  /** [items, dimensions]; rows of zeros for items without text. */
  readonly textVectors: Float32Array;
  readonly dimensions: number;
}

/**
 * Every simple ranker that the protocol has something to count for, with its whole tables, counted on the rows before the test.
 * What was popular in the last days reads rows up to the moment of each question, except for `leave-one-out`, whose tables know the training alone.
 */
export function createBaselines(log: EvaluationLog, divided: DividedRows, { itemCounts, textVectors, dimensions }: BaselineOptions): CatalogueRanker[] {
  const { items } = log;
  const isPositive = positiveRows(log.kind);
  const learnt = divided.beforeTest.filter((row) => isPositive[row] === 1);
  const baskets = basketsOfRows(log, divided, learnt);
  const isLeaveOneOut = divided.protocol === 'leave-one-out';
  const rankers: SimpleRanker[] = [createPopularity(itemCounts)];
  if (log.clock === 'seconds') {
    const seen = isLeaveOneOut ? learnt : Int32Array.from(isPositive.keys()).filter((row) => isPositive[row] === 1);
    rankers.push(createRecentPopularity(rowBaskets(log, seen)));
  }
  if (divided.protocol === 'temporal') rankers.push(createPersonalFrequency(items));
  const rules = countSequentialRules(baskets, items);
  rankers.push(
    createMarkov(countTransitions(baskets, items)),
    { ...createMarkov(rules), name: 'rules of last item' }, // the textbook's rules: what a chain does with their table
    createSequentialRules(rules),
    // A session of many lines is a wholesale order, which says little; a shopper's whole sequence is none.
    createItemKnn(countCooccurrence(baskets, items, isLeaveOneOut ? { maxLines: Infinity } : {})),
    createVmisKnn(indexSessions(baskets, items)),
  );
  if (items <= EASE_ITEMS) rankers.push(createEase(largestWeights(fitEase(baskets, items), items)));
  const hasPairs = baskets.offsets.some((end, basket) => basket > 0 && end - baskets.offsets[basket - 1]! > 1);
  if (hasPairs && textVectors.some((value) => value !== 0)) rankers.push(createBilinearText(fitBilinearText(baskets, textVectors, dimensions)));
  return rankers.map((ranker) => ({ name: ranker.name, probability: 'share', score: ({ known }, out) => ranker.score(known, out) }));
}
