import type { FormulaValues } from '../worker/protocol.ts';
import { FEATURE_NAMES } from './feature-schema.ts';
import type { CandidateView } from './features.ts';
import type { PreparedShopper, Ranker } from './ranker.ts';

/** The live values of y = f_DNN(u_u, v_i(t+1), h_u) for one candidate. */
export async function formulaValues(ranker: Ranker, shopper: PreparedShopper, candidate: CandidateView): Promise<FormulaValues> {
  const features = await ranker.features(shopper, [candidate]); // [1, FEATURE_COUNT]
  const [score] = await ranker.score(shopper, [candidate]);
  return {
    id: candidate.id,
    user: shopper.userVector && Array.from(shopper.userVector),
    item: Array.from(candidate.textVector),
    forecast: candidate.demandForecast,
    hidden: Array.from(shopper.hidden),
    probability: probabilityOf(ranker, shopper, candidate),
    features: Object.fromEntries(FEATURE_NAMES.map((name, column) => [name, Number.isNaN(features[column]) ? null : features[column]!])),
    score: score!,
  };
}

/** p(next = i) over the pack's catalogue; 0 without an interest LSTM. */
function probabilityOf({ interest }: Ranker, { next }: PreparedShopper, { index, textVector }: CandidateView): number {
  if (!interest || !next) return 0;
  const score = index >= 0 ? next.catalogueScores[index]! : interest.unseenScore(next, textVector);
  return Math.exp(score - next.logNormaliser);
}
