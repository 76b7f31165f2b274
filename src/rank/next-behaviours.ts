import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import type { InterestModel, NextInterest } from '../forecast/interest.ts';
import { softmax } from '../forecast/interest.ts';
import type { BehaviourKind, NextBehaviour } from '../types.ts';

/** A candidate as the interest LSTM reads it: a row of the catalogue, or a text vector. */
export interface ScorableCandidate {
  readonly id: string;
  readonly index: number;
  readonly vector: Float32Array | null;
}

// A search has no item, and an impression is the shop's doing.
const KINDS_WITHOUT_ITEM: ReadonlySet<BehaviourKind> = new Set(['search', 'impression']);

/**
 * p(x_t+1 | x_1..t) over candidates and kinds, p(i) · p(kind) with p(i) = softmax of û · v_i + b_i over the candidates: the most
 * probable kind of each, most probable first, normalised to 1 over the list.
 */
export function nextBehaviours(interest: InterestModel, next: NextInterest, candidates: readonly ScorableCandidate[]): NextBehaviour[] {
  const scores = Float32Array.from(candidates, ({ index, vector }) =>
    index >= 0 ? next.catalogueScores[index]! : vector ? interest.unseenScore(next, vector) : -Infinity,
  );
  const probabilities = softmax(scores);
  const kind = mostProbableKind(next.kinds);
  return candidates
    .map(({ id }, at) => ({ id, kind, probability: probabilities[at]! }))
    .sort((a, b) => b.probability - a.probability);
}

function mostProbableKind(kinds: Float32Array): BehaviourKind {
  let best: BehaviourKind = 'view';
  let highest = -1;
  BEHAVIOUR_KINDS.forEach((kind, at) => {
    if (KINDS_WITHOUT_ITEM.has(kind) || kinds[at]! <= highest) return;
    best = kind;
    highest = kinds[at]!;
  });
  return best;
}
