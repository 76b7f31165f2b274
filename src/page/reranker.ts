import { RecommenderError } from '../errors.ts';
import { uniqueId } from '../lib/unique-id.ts';
import type { Candidate, Consent, PageContext, Slate } from '../types.ts';
import type { WorkerClient } from '../worker/client.ts';
import type { RerankAnswer, RerankOptions } from '../worker/protocol.ts';
import type { PlainCandidates } from './plain-candidates.ts';
import { toList, toPlainContext } from './plain-fields.ts';
import { toDeviceSlate, toServerSlate } from './slate.ts';

// What a timer can count to; longer deadlines wait for the answer.
const LONGEST_TIMER_MS = 2 ** 31 - 1;
// For the way to the worker and back, beside the engine's own deadline.
const GRACE_MS = 25;

/** Options of one `rerank()`. */
export interface SlateOptions {
  /** How many of the best to return. Default: all. */
  readonly limit?: number;
  /** Milliseconds until the slate answers with what it has. Default: the recommender's. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** What the page says of the shopper's wishes. */
  readonly context?: PageContext;
}

export interface RerankerOptions {
  readonly client: Pick<WorkerClient, 'call' | 'state'>;
  readonly plain: PlainCandidates;
  readonly deadlineMs: number;
  readonly consent: () => Consent;
  readonly report: (error: RecommenderError) => void;
  /** Aborted, with `CLOSED` as its reason, by close(). */
  readonly closing: AbortSignal;
}

export type Rerank = <T extends object>(candidates: readonly T[], options?: SlateOptions) => Promise<Slate<T>>;

/** Asks the engine for an order, and keeps the server's whenever there is no answer by the deadline. */
export function createReranker({ client, plain, deadlineMs: defaultDeadlineMs, consent, report, closing }: RerankerOptions): Rerank {
  async function answerOf(candidates: readonly Candidate[], options: RerankOptions, signal: AbortSignal | undefined): Promise<RerankAnswer> {
    const stop = new AbortController();
    const followCaller = (): void => stop.abort(signal?.reason);
    const followClosing = (): void => stop.abort(closing.reason);
    signal?.addEventListener('abort', followCaller);
    closing.addEventListener('abort', followClosing);
    const late = (): void => stop.abort(new RecommenderError(client.state === 'ready' ? 'DEADLINE' : 'WARMING_UP'));
    const waitMs = options.deadlineMs + GRACE_MS;
    const timer = waitMs <= LONGEST_TIMER_MS ? setTimeout(late, waitMs) : undefined;
    try {
      return await client.call('rerank', [candidates, options], stop.signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', followCaller);
      closing.removeEventListener('abort', followClosing);
    }
  }

  return async (candidates, { limit = Infinity, deadlineMs = defaultDeadlineMs, signal, context } = {}) => {
    closing.throwIfAborted();
    signal?.throwIfAborted();
    const list = toList(candidates);
    const shown = limit >= 0 ? Math.floor(limit) : Infinity;
    const keepServerOrder = (error: RecommenderError): Slate<(typeof candidates)[number]> => {
      report(error);
      return toServerSlate(uniqueId(), list ?? [], shown, { code: error.code, message: error.message });
    };
    if (list === undefined) return keepServerOrder(new RecommenderError('INVALID_CANDIDATES'));
    if (consent() === 'denied') return keepServerOrder(new RecommenderError('CONSENT_DENIED'));
    const read = list.map((candidate) => plain.read(candidate));
    const sent = read.filter((candidate) => candidate !== undefined);
    if (sent.length === 0) {
      if (list.length > 0) return keepServerOrder(new RecommenderError('INVALID_CANDIDATES'));
      return toDeviceSlate(list, [], { slate: uniqueId(), ranked: { serverPositions: new Int32Array(0), scores: new Float32Array(0) }, complete: true }, 0);
    }
    const options: RerankOptions = {
      limit: Math.min(shown, sent.length),
      deadlineMs: deadlineMs >= 0 ? deadlineMs : defaultDeadlineMs,
      ...(context && { context: toPlainContext(context) }),
    };
    try {
      const keys = read.map((candidate) => candidate && String(candidate.id));
      return toDeviceSlate(list, keys, await answerOf(sent, options, signal), shown);
    } catch (error) {
      signal?.throwIfAborted();
      closing.throwIfAborted();
      return keepServerOrder(RecommenderError.from(error));
    }
  };
}
