import type { InterestModel, NextInterest } from '../forecast/interest.ts';
import { FEATURE_NAMES, MISSING, type FeatureName } from './feature-schema.ts';
import type { RepeatHabits } from './simple/repeat-habits.ts';
import type { ShopperView } from './shopper-view.ts';

/** A candidate as ranking reads it. */
export interface CandidateView {
  readonly id: string;
  /** Row in the pack's catalogue, or -1. */
  readonly index: number;
  /** v_i of the text encoder, [text]. */
  readonly textVector: Float32Array;
  /** The text itself, where its words are asked for. */
  readonly title?: string;
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
  readonly lastRules: Float32Array;
  /** null without a table, as are the next two. */
  readonly ease: Float32Array | null;
  readonly sessions: Float32Array | null;
  readonly repeats: RepeatHabits | null;
  /** Place of each item that has one in personal frequency, from 0. */
  readonly personalRanks: ReadonlyMap<number, number>;
  /** Centred cosines of each recent text, newest first, to each candidate, [candidates]. */
  readonly textSimilarities: readonly Float32Array[];
  /** Cosines of the words of each recent text and of each candidate's, in the same order; null where they are not asked for. */
  readonly wordSimilarities: readonly Float32Array[] | null;
  /** Cosine of centred u_u and centred v_i, [candidates]; null before the first text. */
  readonly textMean: Float32Array | null;
  /** uᵀ W v, [candidates]; null without W or before the first text. */
  readonly bilinear: Float32Array | null;
}

export const FEATURE_COUNT = FEATURE_NAMES.length;

const COLUMN = Object.fromEntries(FEATURE_NAMES.map((name, column) => [name, column])) as Record<FeatureName, number>;
const POOLING_TEMPERATURE = 0.25; // of the soft-max over similarities; the best of 0.5, 0.25, 0.1, 0.05 in training/zero_shot.py
const WORD_SHARE = 0.5; // of words beside vectors: better on Amazon Games and on Online Retail, no worse on films
const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;

/** The head's input: [candidates, FEATURE_COUNT], MISSING where a value is not there. */
export function writeFeatures(view: ShopperView, candidates: readonly CandidateView[], scores: ModelScores, interest: InterestModel | null): Float32Array {
  const rows = new Float32Array(candidates.length * FEATURE_COUNT).fill(MISSING);
  const historyLength = Math.log1p(view.historyLength);
  const sessionLength = Math.log1p(view.sessionLength);
  const baskets = Math.log1p(view.purchases.baskets);
  const pooled = pooledSimilarities(view.textWeights, scores.textSimilarities, candidates.length);
  const newest = newestSimilarities(view, scores.textSimilarities);
  const { wordSimilarities } = scores;
  const withWords = wordSimilarities && pooledSimilarities(view.textWeights, scores.textSimilarities.map((cosines, text) => addWords(cosines, wordSimilarities[text]!)), candidates.length);
  // Plain loops and indexes here and below: this runs for every candidate of every request.
  for (let at = 0; at < candidates.length; at++) {
    const row = at * FEATURE_COUNT;
    const { id, index, textVector, pricePosition, demandForecast, lastWeek, lastFourWeeks, serverPosition } = candidates[at]!;
    if (scores.next && interest) {
      const score = index >= 0 ? scores.next.catalogueScores[index]! : interest.unseenScore(scores.next, textVector);
      rows[row + COLUMN.interest] = score - scores.next.logNormaliser;
    }
    if (index >= 0) {
      rows[row + COLUMN.markov] = logOnePlus(scores.markov[index]!);
      rows[row + COLUMN.rules] = logOnePlus(scores.rules[index]!);
      rows[row + COLUMN.knn] = logOnePlus(100 * scores.knn[index]!); // cosines are small: this spreads them
      rows[row + COLUMN.personal] = logOnePlus(scores.personal[index]!);
      rows[row + COLUMN.popularity] = Math.log1p(scores.popularity[index]!);
      rows[row + COLUMN.lastRules] = logOnePlus(scores.lastRules[index]!);
      if (scores.ease) rows[row + COLUMN.ease] = logOnePlus(10 * scores.ease[index]!);
      if (scores.sessions) rows[row + COLUMN.sessions] = logOnePlus(scores.sessions[index]!);
      if (scores.repeats) rows[row + COLUMN.itemRepeats] = scores.repeats.share[index]!;
      const rank = scores.personalRanks.get(index);
      if (rank !== undefined) rows[row + COLUMN.personalRank] = 10 / (10 + rank);
    }
    if (lastWeek !== null) rows[row + COLUMN.popularity7d] = Math.log1p(lastWeek);
    if (lastFourWeeks !== null) rows[row + COLUMN.popularity28d] = Math.log1p(lastFourWeeks);
    const bought = view.purchases.items.get(id);
    rows[row + COLUMN.boughtBefore] = logOnePlus(bought?.count ?? 0);
    if (view.purchases.baskets > 0) rows[row + COLUMN.basketShare] = (bought?.baskets ?? 0) / view.purchases.baskets;
    if (bought) {
      const since = Math.max(0, view.now - bought.last);
      rows[row + COLUMN.sinceBought] = Math.log1p(since / SECONDS_PER_HOUR);
      rows[row + COLUMN.basketsSince] = Math.log1p(view.purchases.baskets - bought.lastBasket);
      if (bought.baskets > 1) rows[row + COLUMN.ownInterval] = logRatio(since, (bought.last - bought.first) / (bought.baskets - 1));
      const usualDays = index >= 0 ? scores.repeats?.days[index] : undefined;
      if (usualDays !== undefined && usualDays > 0) rows[row + COLUMN.itemInterval] = logRatio(since, usualDays * SECONDS_PER_DAY);
    }
    const touched = view.lastTouched.get(id);
    if (touched !== undefined) rows[row + COLUMN.sinceLast] = Math.log1p(Math.max(0, view.now - touched) / SECONDS_PER_HOUR);
    if (pooled) rows[row + COLUMN.textAffinity] = pooled[at]!;
    if (newest) rows[row + COLUMN.textLast] = newest[at]!;
    if (withWords) rows[row + COLUMN.titleAffinity] = withWords[at]!;
    if (scores.textMean) rows[row + COLUMN.textMean] = scores.textMean[at]!;
    if (scores.bilinear) rows[row + COLUMN.bilinear] = scores.bilinear[at]!;
    if (demandForecast !== null) {
      rows[row + COLUMN.demand] = Math.log1p(demandForecast);
      if (lastFourWeeks !== null) rows[row + COLUMN.demandTrend] = Math.log1p(demandForecast) - Math.log1p(lastFourWeeks);
    }
    if (pricePosition !== null) {
      rows[row + COLUMN.price] = pricePosition;
      if (view.pricePosition !== null) rows[row + COLUMN.priceGap] = Math.abs(pricePosition - view.pricePosition);
    }
    if (serverPosition !== null) rows[row + COLUMN.serverRank] = 10 / (10 + serverPosition);
    rows[row + COLUMN.historyLength] = historyLength;
    rows[row + COLUMN.sessionLength] = sessionLength;
    rows[row + COLUMN.baskets] = baskets;
  }
  return rows;
}

/** log(1 + x); most counts of most candidates are 0. */
function logOnePlus(x: number): number {
  return x === 0 ? 0 : Math.log1p(x);
}

/** log of one time over another, in seconds; an hour is added to both, so that purchases minutes apart say no more than that. */
function logRatio(seconds: number, usual: number): number {
  return Math.log((seconds + SECONDS_PER_HOUR) / (usual + SECONDS_PER_HOUR));
}

function addWords(cosines: Float32Array, words: Float32Array): Float32Array {
  return cosines.map((cosine, at) => cosine + WORD_SHARE * words[at]!);
}

/** Similarity to the newest behaviour's text, in which the page's texts have the share that they have among all, [candidates]; null before the first text. */
function newestSimilarities({ textWeights, pageTexts }: ShopperView, similarities: readonly Float32Array[]): Float32Array | null {
  if (textWeights.length === 0) return null;
  if (pageTexts === 0) return similarities[0]!;
  const total = textWeights.reduce((sum, weight) => sum + weight);
  const shares = textWeights.slice(0, pageTexts).map((weight) => weight / total);
  const rest = 1 - shares.reduce((sum, share) => sum + share);
  return similarities[0]!.map((_, at) => shares.reduce((sum, share, text) => sum + share * similarities[text]![at]!, rest * (similarities[pageTexts]?.[at] ?? 0)));
}

/** τ · log(Σ w · exp(s / τ) / Σ w) over the recent texts' similarities to each candidate, [candidates]; null before the first text. */
function pooledSimilarities(weights: readonly number[], similarities: readonly Float32Array[], candidates: number): Float32Array | null {
  if (weights.length === 0) return null;
  const total = weights.reduce((sum, weight) => sum + weight);
  const pooled = new Float32Array(candidates);
  weights.forEach((weight, text) => {
    const share = weight / total;
    const cosines = similarities[text]!;
    for (let at = 0; at < candidates; at++) pooled[at]! += share * Math.exp(cosines[at]! / POOLING_TEMPERATURE);
  });
  for (let at = 0; at < candidates; at++) pooled[at] = POOLING_TEMPERATURE * Math.log(pooled[at]!);
  return pooled;
}
