import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import type { InterestModel, NextInterest } from '../forecast/interest.ts';
import { softmax } from '../forecast/interest.ts';
import type { BehaviourKind, NextBehaviour } from '../types.ts';

/** A candidate as the interest model reads it: a row of the catalogue, or a text vector. */
export interface ScorableCandidate {
  readonly id: string;
  readonly index: number;
  readonly vector: Float32Array | null;
}

// A search has no item, and an impression is the shop's doing.
const KINDS_WITHOUT_ITEM: ReadonlySet<BehaviourKind> = new Set(['search', 'impression']);

/**
 * p(x_t+1 = i, kind | x_1..t) over candidates and kinds, p(i) · p(kind): p(i) is the softmax of û · v_i + b_i over the candidates, p(kind) that
 * of the kinds which have an item. Given the state, the model takes item and kind as independent. All of them sum to 1; most probable items first.
 */
export function nextBehaviours(interest: InterestModel, next: NextInterest, candidates: readonly ScorableCandidate[]): NextBehaviour[] {
  const scores = Float32Array.from(candidates, ({ index, vector }) =>
    index >= 0 ? next.catalogueScores[index]! : vector ? interest.unseenScore(next, vector) : -Infinity,
  );
  const probabilities = softmax(scores);
  const kinds = kindsOfItems(next.kinds);
  const kind = kinds.reduce((best, one) => (one.share > best.share ? one : best)).kind;
  return candidates
    .map(({ id }, at) => {
      const probability = probabilities[at]!;
      return { id, kind, probability, kinds: Object.fromEntries(kinds.map(({ kind: one, share }) => [one, share * probability])), daysToPurchase: next.daysToPurchase };
    })
    .sort((a, b) => b.probability - a.probability);
}

/** The kinds that have an item, with shares that sum to 1. */
function kindsOfItems(kinds: Float32Array): { readonly kind: BehaviourKind; readonly share: number }[] {
  const shares = BEHAVIOUR_KINDS.flatMap((kind, at) => (KINDS_WITHOUT_ITEM.has(kind) ? [] : [{ kind, share: kinds[at]! }]));
  const total = shares.reduce((sum, { share }) => sum + share, 0) || 1;
  return shares.map(({ kind, share }) => ({ kind, share: share / total }));
}
