import { readPageContext } from '../behaviour/page-context.ts';
import type { Patience } from '../lib/patience.ts';
import { uniqueId } from '../lib/unique-id.ts';
import { orderByScore } from '../policy/slate-order.ts';
import { toSlateRecord } from '../policy/slate-record.ts';
import type { CandidateList } from '../rank/candidate-reader.ts';
import type { PreparedShopper, Ranker } from '../rank/ranker.ts';
import type { SlateRecord } from '../storage/shopper-store.ts';
import type { LiveShopper } from './live-shopper.ts';
import type { Models } from './models.ts';
import { toPageTexts } from './page-texts.ts';
import type { RerankAnswer } from './protocol.ts';

export interface RerankContext {
  readonly models: Models;
  readonly shopper: LiveShopper;
  /** Unix milliseconds. */
  readonly now: number;
  readonly partition: string;
  /** What the page says of the shopper's wishes, as it arrived. */
  readonly page?: unknown;
  readonly patience: Patience;
  /** Texts could not be encoded; their candidates keep provisional vectors, or their server positions. */
  readonly report: (error: unknown) => void;
}

export interface Reranked {
  readonly answer: RerankAnswer;
  readonly shown: SlateRecord;
  /** Of an incomplete answer: resolves with true once the same call would differ. */
  readonly improvement?: Promise<boolean>;
}

/**
 * One request through the domains: wait for the shopper and for vectors as long as patience lasts, forecast, score, order.
 * Candidates whose vectors are not there are ranked by provisional ones, or keep their server positions where there are none of those either.
 * @throws RecommenderError `ABORTED`, `CLOSED`, `DEVICE_FAILED`
 */
export async function rerank({ models, shopper, now, partition, page, patience, report }: RerankContext, candidates: readonly unknown[], limit: number): Promise<Reranked> {
  const { ranker, vectors } = models;
  const stopwatch = createStopwatch();
  const list = models.candidates.read(candidates);
  const { texts, time = now } = readPageContext(page);
  // The page's texts first: they have a say in every score.
  const missingTexts = (): string[] => [...texts.filter((text) => !vectors.get(text)), ...list.missingTexts()];
  const missing = missingTexts();
  const encoding = missing.length > 0 ? encode(models, missing, report) : undefined;
  // Now, since at the deadline it would be too late.
  await Promise.all([list.approximate(), vectors.approximate(texts)]);
  if (!shopper.isSettled) await patience.until(shopper.settled());
  const isSettled = shopper.isSettled;
  const advanceMs = stopwatch.lap();

  if (encoding !== undefined) await patience.until(encoding);
  const isComplete = isSettled && (encoding === undefined || missingTexts().length === 0);
  const encodeMs = stopwatch.lap();

  await list.addDemand();
  const forecastMs = stopwatch.lap();

  const known = await shopper.now();
  const scores = await scoreList(ranker, await ranker.prepare({ ...known, pageTexts: toPageTexts(texts, vectors) }, time / 1000), list);
  patience.check();
  const order = orderByScore(scores, limit);
  const slate = uniqueId();
  const scoreMs = stopwatch.lap();

  const { packRevision } = models;
  return {
    answer: {
      slate,
      ranked: { serverPositions: order, scores: Float32Array.from(order, (serverPosition) => scores[serverPosition]!) },
      complete: isComplete,
      device: models.devices.score.device,
      timings: { encodeMs, advanceMs, forecastMs, scoreMs, totalMs: advanceMs + encodeMs + forecastMs + scoreMs },
      packRevision,
    },
    shown: toSlateRecord({ id: slate, partition, time: now, packRevision, itemIds: list.ids, order }),
    ...(!isComplete && { improvement: Promise.all([encoding ?? true, shopper.settled()]).then(([encoded]) => encoded && shopper.isSettled) }),
  };
}

/** y of each server position, NaN where there is no vector. */
async function scoreList(ranker: Ranker, prepared: PreparedShopper, list: CandidateList): Promise<Float32Array> {
  const { positions, views } = list.rankable();
  const known = await ranker.score(prepared, views); // [views]
  const scores = new Float32Array(list.length).fill(NaN);
  for (let at = 0; at < known.length; at++) scores[positions[at]!] = known[at]!;
  return scores;
}

/** True once all texts have their vectors, false when they could not be made. */
async function encode({ vectors }: Models, texts: readonly string[], report: (error: unknown) => void): Promise<boolean> {
  try {
    await vectors.enqueue(texts);
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

/** Milliseconds from one lap to the next. */
function createStopwatch(): { lap(): number } {
  let last = performance.now();
  return {
    lap() {
      const before = last;
      last = performance.now();
      return last - before;
    },
  };
}
