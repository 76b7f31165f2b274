import { RecommenderError } from '../errors.ts';

/** What one ranking of the allowed items says of its target. */
export interface RankedList {
  /** The first `depth` items, best first. */
  readonly first: Int32Array;
  /** Share of the other items that have a lower score, equal ones half: the area under the curve of this one list (Hanley & McNeil 1982). 0.5 where there is none, or no target. */
  readonly auc: number;
  /** Probability that the ranker gives its first item. */
  readonly confidence: number;
}

export interface RankOptions {
  /** [items] 1 where an item is ranked. */
  readonly allowed: Uint8Array;
  /** [items] Of equal scores the item with more comes first, then the one with the lower index. */
  readonly ties: Float32Array;
  readonly target: number;
  readonly depth: number;
  /** How scores are probabilities: `softmax` of them, or their `share` of the sum (scores from 0). */
  readonly probability: 'softmax' | 'share';
}

/**
 * Ranks the allowed items by their scores, [items], and looks at all of them, in two passes without sorting.
 * @throws RecommenderError `INTERNAL` for a score that is no number: it would pass for the worst of all.
 */
export function rankList(scores: Float32Array, { allowed, ties, target, depth, probability }: RankOptions): RankedList {
  const first = firstItems(scores, allowed, ties, depth);
  const hasTarget = allowed[target] === 1;
  const aimed = scores[target]!;
  const top = first.length > 0 ? scores[first[0]!]! : 0;
  let ranked = 0;
  let lower = 0;
  let equal = 0;
  let mass = 0;
  for (let item = 0; item < scores.length; item++) {
    if (allowed[item] === 0) continue;
    const score = scores[item]!;
    if (Number.isNaN(score)) throw new RecommenderError('INTERNAL', `A ranker gave item ${item} no number.`);
    ranked++;
    if (score < aimed) lower++;
    else if (score === aimed) equal++;
    mass += probability === 'softmax' ? Math.exp(score - top) : score;
  }
  const confidence = probability === 'softmax' ? 1 / mass : mass > 0 ? top / mass : 1 / ranked;
  const auc = hasTarget && ranked > 1 ? (lower + (equal - 1) / 2) / (ranked - 1) : 0.5;
  return { first, auc, confidence: ranked === 0 ? 0 : confidence };
}

function firstItems(scores: Float32Array, allowed: Uint8Array, ties: Float32Array, depth: number): Int32Array {
  const best = new Int32Array(depth);
  let count = 0;
  for (let item = 0; item < scores.length; item++) {
    if (allowed[item] === 0) continue;
    const score = scores[item]!;
    if (count === depth && !comesBefore(score, item, best[depth - 1]!)) continue;
    let place = count < depth ? count++ : depth - 1;
    for (; place > 0 && comesBefore(score, item, best[place - 1]!); place--) best[place] = best[place - 1]!;
    best[place] = item;
  }
  return best.slice(0, count);

  function comesBefore(score: number, item: number, other: number): boolean {
    return score > scores[other]! || (score === scores[other] && ties[item]! > ties[other]!);
  }
}
