import { readPageContext } from '../behaviour/page-context.ts';
import { RecommenderError } from '../errors.ts';
import type { Patience } from '../lib/patience.ts';
import { formulaValues } from '../rank/formula.ts';
import { nextBehaviours } from '../rank/next-behaviours.ts';
import type { NextBehaviour } from '../types.ts';
import type { LiveShopper } from './live-shopper.ts';
import type { Models } from './models.ts';
import { toPageTexts } from './page-texts.ts';
import type { Engine, FormulaValues } from './protocol.ts';

interface Ready {
  readonly models: Models;
  readonly shopper: LiveShopper;
}

/** What the shopper does next; see `Recommender.predictNext()`. @throws RecommenderError `PACK_UNAVAILABLE` where the pack has no interest LSTM. */
export async function predictNext({ models, shopper }: Ready, candidates: Parameters<Engine['predictNext']>[0], patience: Patience): Promise<NextBehaviour[]> {
  const { interest } = models.ranker;
  if (interest === null) throw new RecommenderError('PACK_UNAVAILABLE', 'This pack has no interest LSTM.');
  const list = models.candidates.read(candidates);
  const unseen = list.missingTexts({ unseenOnly: true });
  if (unseen.length > 0) await patience.until(models.vectors.enqueue(unseen));
  list.missingTexts();
  return nextBehaviours(interest, await interest.next(shopper.current.state), list.scorable());
}

/** The values that rank one candidate on a page, `now` in Unix milliseconds. @throws RecommenderError `INVALID_CANDIDATES` where it has no id. */
export async function formula(
  { models, shopper }: Ready,
  candidate: Parameters<Engine['formula']>[0],
  { page, patience, now }: { readonly page: unknown; readonly patience: Patience; readonly now: number },
): Promise<FormulaValues> {
  const list = models.candidates.read([candidate]);
  const { texts, time = now } = readPageContext(page);
  await patience.until(models.vectors.enqueue([...texts, ...list.missingTexts()]));
  list.missingTexts();
  await list.addDemand();
  const [view] = list.rankable().views;
  if (view === undefined) throw new RecommenderError('INVALID_CANDIDATES', 'The candidate has no id.');
  return formulaValues(models.ranker, await models.ranker.prepare({ ...shopper.current, pageTexts: toPageTexts(texts, models.vectors) }, time / 1000), view);
}
