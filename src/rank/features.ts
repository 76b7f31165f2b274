import type { InterestModel, NextInterest } from '../forecast/interest.ts';
import { FEATURE_NAMES, MISSING, type FeatureName } from './feature-schema.ts';
import type { ShopperView } from './shopper-view.ts';

/** A candidate as ranking reads it. */
export interface CandidateView {
  readonly id: string;
  /** Row in the pack's catalogue, or -1. */
  readonly index: number;
  /** v_i of the text encoder, [text]. */
  readonly textVector: Float32Array;
  readonly pricePosition: number | null;
  /** Forecast of next week's units; null without a series. */
  readonly demandForecast: number | null;
  /** Units of the last week, and the mean of the last four; null without a series. */
  readonly lastWeek: number | null;
  readonly lastFourWeeks: number | null;
  /** null where the server gave no scores, so that its order says nothing. */
  readonly serverPosition: number | null;
}

/** What the models said before the features are written; arrays are over the pack's catalogue. */
export interface ModelScores {
  readonly next: NextInterest | null;
  readonly markov: Float32Array;
  readonly rules: Float32Array;
  readonly knn: Float32Array;
  readonly personal: Float32Array;
  readonly popularity: Float32Array;
  /** Centred cosine of each recent text to each candidate, [texts, candidates]. */
  readonly textSimilarities: Float32Array;
  /** Cosine of centred u_u and centred v_i, [candidates]; null before the first text. */
  readonly textMean: Float32Array | null;
}

export const FEATURE_COUNT = FEATURE_NAMES.length;

const COLUMN = Object.fromEntries(FEATURE_NAMES.map((name, column) => [name, column])) as Record<FeatureName, number>;
const POOLING_TEMPERATURE = 0.25; // of the soft-max over similarities; the best of 0.5, 0.25, 0.1, 0.05 in training/zero_shot.py
const SECONDS_PER_HOUR = 3_600;

/** The head's input: [candidates, FEATURE_COUNT], MISSING where a value is not there. */
export function writeFeatures(view: ShopperView, candidates: readonly CandidateView[], scores: ModelScores, interest: InterestModel | null): Float32Array {
  const rows = new Float32Array(candidates.length * FEATURE_COUNT).fill(MISSING);
  let first = 0; // of the candidate's row
  const set = (name: FeatureName, value: number | null): void => {
    if (value !== null) rows[first + COLUMN[name]] = value;
  };
  candidates.forEach((candidate, at) => {
    first = at * FEATURE_COUNT;
    const { index, id, pricePosition } = candidate;
    if (scores.next && interest) {
      const score = index >= 0 ? scores.next.catalogueScores[index]! : interest.unseenScore(scores.next, candidate.textVector);
      set('interest', score - scores.next.logNormaliser);
    }
    if (index >= 0) {
      set('markov', Math.log1p(scores.markov[index]!));
      set('rules', Math.log1p(scores.rules[index]!));
      set('knn', Math.log1p(100 * scores.knn[index]!)); // cosines are small: this spreads them
      set('personal', Math.log1p(scores.personal[index]!));
      set('popularity', Math.log1p(scores.popularity[index]!));
    }
    set('popularity7d', candidate.lastWeek === null ? null : Math.log1p(candidate.lastWeek));
    set('boughtBefore', Math.log1p(view.purchases.get(id) ?? 0));
    const touched = view.lastTouched.get(id);
    set('sinceLast', touched === undefined ? null : Math.log1p(Math.max(0, view.now - touched) / SECONDS_PER_HOUR));
    set('textAffinity', pooledSimilarity(view, scores.textSimilarities, at, candidates.length));
    set('textMean', scores.textMean ? scores.textMean[at]! : null);
    set('textLast', view.textWeights.length === 0 ? null : scores.textSimilarities[at]!);
    if (candidate.demandForecast !== null) {
      set('demand', Math.log1p(candidate.demandForecast));
      if (candidate.lastFourWeeks !== null) set('demandTrend', Math.log1p(candidate.demandForecast) - Math.log1p(candidate.lastFourWeeks));
    }
    set('price', pricePosition);
    set('priceGap', pricePosition === null || view.pricePosition === null ? null : Math.abs(pricePosition - view.pricePosition));
    set('serverRank', candidate.serverPosition === null ? null : 10 / (10 + candidate.serverPosition));
    set('historyLength', Math.log1p(view.historyLength));
    set('sessionLength', Math.log1p(view.sessionLength));
  });
  return rows;
}

/** τ · log(Σ w · exp(s / τ) / Σ w) over the recent texts' similarities to one candidate. */
function pooledSimilarity(view: ShopperView, similarities: Float32Array, candidate: number, candidates: number): number | null {
  if (view.textWeights.length === 0) return null;
  let sum = 0;
  let total = 0;
  view.textWeights.forEach((weight, text) => {
    sum += weight * Math.exp(similarities[text * candidates + candidate]! / POOLING_TEMPERATURE);
    total += weight;
  });
  return POOLING_TEMPERATURE * Math.log(sum / total);
}
