import { RecommenderError } from './errors.ts';
import { isConsent, resolveOptions } from './options.ts';
import type { RecommenderOptions } from './options.ts';
import { createJournal } from './page/journal.ts';
import { createListeners } from './page/listeners.ts';
import { createOutbox } from './page/outbox.ts';
import { onPageState } from './page/page-events.ts';
import { PlainCandidates } from './page/plain-candidates.ts';
import { toPlainCandidate, toPlainContext, toPlainDemand, toPlainEvent } from './page/plain-fields.ts';
import { createReranker } from './page/reranker.ts';
import type { SlateOptions } from './page/reranker.ts';
import { withCodeBytes, withoutEngine } from './page/status.ts';
import type { ShopperExport } from './storage/shopper-store.ts';
import type { BehaviourEvent, Consent, DemandSeries, Forecast, NextBehaviour, PageContext, Slate, TrackResult } from './types.ts';
import { createWorkerClient } from './worker/client.ts';
import type { EngineEventMessage, EngineEvents, EngineStatus, FormulaValues } from './worker/protocol.ts';
import type { CallArguments, CallResult, Method } from './worker/rpc.ts';

/** What `recommender.on()` can listen to, with what each listener receives. */
export type RecommenderEventMap = EngineEvents;

/**
 * The page's side of Shelfwise. Nothing here throws into the page or waits for a model: promises reject only where
 * a method says so, and reasons arrive as `fallback` events.
 */
export interface Recommender {
  readonly consent: Consent;
  /**
   * What the shopper allows from now on. `granted` -> `session` or `denied` stops storing and forgets this visit; what is
   * stored stays, unread, until eraseData(). `session` -> `granted` stores this visit, too. Never rejects.
   */
  setConsent(consent: Consent): Promise<void>;
  /**
   * Reports a behaviour; waiting for it is optional. Resolves with `stored` or `memory` once it is there, `dropped` without
   * consent, for an invalid event or without a worker.
   * @throws RecommenderError `CLOSED` after close(); unhandled, it stays silent.
   */
  track(event: BehaviourEvent): Promise<TrackResult>;
  /**
   * Re-orders server candidates for this shopper, on this device: always a permutation of them, up to `limit`.
   * At `deadlineMs` (default 50) items without vectors keep their server positions; without models or an answer, all do.
   * @throws the reason of an aborted `signal`; RecommenderError `CLOSED` after close().
   */
  rerank<T extends object>(candidates: readonly T[], options?: SlateOptions): Promise<Slate<T>>;
  /** p(next behaviour) over the candidates, normalised; empty without consent or models. @throws RecommenderError `CLOSED` */
  predictNext(candidates: readonly object[]): Promise<readonly NextBehaviour[]>;
  /** Median and 80 % interval for each of the next `horizon` (default 4) steps; null without models. @throws RecommenderError `CLOSED` */
  forecast(series: DemandSeries, options?: { readonly horizon?: number }): Promise<Forecast | null>;
  /** The live values of y(u,i,t) for one candidate, in the context of its slate; null without consent or models. @throws RecommenderError `CLOSED` */
  formula(candidate: object, options?: { readonly context?: PageContext }): Promise<FormulaValues | null>;
  /**
   * Encodes items in idle time, so that later slates are complete at once: requests and what they wait for always go first.
   * @throws the reason of an aborted `signal`; RecommenderError `CLOSED` after close().
   */
  prefetch(candidates: readonly object[], options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Device and why, packs, store, timings, queue and every request made. @throws RecommenderError `CLOSED` */
  status(): Promise<EngineStatus>;
  /** All that is kept of the shopper; asking for it needs no consent. @throws RecommenderError where it cannot be read */
  exportData(): Promise<ShopperExport>;
  /** Removes all that is kept; resolves when nothing is left. @throws RecommenderError where something may be left */
  eraseData(): Promise<void>;
  /** Stores what waits and stops the worker; pending and later calls reject with `CLOSED`. */
  close(): Promise<void>;
  /** Listens; returns its stop. */
  on<K extends keyof RecommenderEventMap>(type: K, listener: (detail: RecommenderEventMap[K]) => void): () => void;
}

const DEFAULT_HORIZON = 4;
// For the last events to be stored; what is not by then goes to the next page.
const CLOSE_PATIENCE_MS = 1_000;

/**
 * Creates a recommender at once: the worker starts when consent first allows it to be of use.
 * @throws RecommenderError `INVALID_OPTIONS`
 */
export function createRecommender(options: RecommenderOptions): Recommender {
  const { fields, now, database, partition, pack, device, createWorker, deadlineMs, ...initial } = resolveOptions(options);
  let consent = initial.consent;
  let closed: Promise<void> | undefined;
  const closing = new AbortController();
  const listeners = createListeners<RecommenderEventMap>();
  const report = ({ code, message }: RecommenderError): void => listeners.emit('fallback', { code, message });

  const client = createWorkerClient({
    createWorker,
    engineOptions: () => ({ pack, device, consent, partition, database }),
    onEvent: <K extends keyof EngineEvents>({ event, detail }: EngineEventMessage<K>) => listeners.emit(event, detail),
    onFailure: report,
  });
  const outbox = createOutbox({
    send: (events) => client.call('track', [events]),
    journal: createJournal(database, partition),
    mayResend: ({ code }) => code === 'WORKER_FAILED' && client.state !== 'failed' && client.state !== 'closed',
    onDropped: report,
  });
  const plainCandidates = new PlainCandidates(fields);
  const rerank = createReranker({ client, plain: plainCandidates, deadlineMs, consent: () => consent, report, closing: closing.signal });

  const stopPageState = onPageState({
    hide: (mayEnd) => {
      if (consent === 'granted') outbox.keepForNextPage();
      if (mayEnd) client.pageState('hidden');
    },
    show: () => client.pageState('shown'),
  });

  function begin(): void {
    if (consent !== 'denied') client.start();
    if (consent === 'granted') outbox.takeOver();
  }

  /** Calls the engine after all that was tracked before. */
  function call<M extends Method>(method: M, args: CallArguments<M>, signal?: AbortSignal): Promise<CallResult<M>> {
    outbox.flush();
    return client.call(method, args, signal);
  }

  /** An answer, or what stands for none, with a `fallback` event that says why; rejects only after close() and by the signal. */
  async function ask<M extends Method, Otherwise>(
    method: M,
    args: CallArguments<M>,
    otherwise: Otherwise,
    signal?: AbortSignal,
  ): Promise<CallResult<M> | Otherwise> {
    try {
      return await call(method, args, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const known = RecommenderError.from(error);
      if (known.code === 'CLOSED') throw known;
      report(known);
      return otherwise;
    }
  }

  /** ask(), where the answer would be about the shopper: without consent there is none, and no round trip. */
  async function askOfShopper<M extends Method, Otherwise>(
    method: M,
    args: CallArguments<M>,
    otherwise: Otherwise,
    signal?: AbortSignal,
  ): Promise<CallResult<M> | Otherwise> {
    if (closing.signal.aborted) throw new RecommenderError('CLOSED');
    if (consent !== 'denied') return ask(method, args, otherwise, signal);
    report(new RecommenderError('CONSENT_DENIED'));
    return otherwise;
  }

  async function setConsent(next: Consent): Promise<void> {
    if (closing.signal.aborted) return;
    if (!isConsent(next)) {
      report(new RecommenderError('INVALID_OPTIONS', 'consent must be denied, session or granted.'));
      return;
    }
    // What was tracked until now was allowed then.
    outbox.flush();
    if (next !== 'granted') outbox.drop();
    // A worker that starts now starts with the new consent; one that never started has nothing to forget.
    const isIdle = client.state === 'idle';
    consent = next;
    // The engine hears of the consent before it gets what earlier pages left.
    const changed = isIdle ? undefined : ask('setConsent', [next], undefined);
    begin();
    await changed?.catch(() => undefined);
  }

  function track(event: BehaviourEvent): Promise<TrackResult> {
    if (!closing.signal.aborted) return consent === 'denied' ? Promise.resolve('dropped') : outbox.add(toPlainEvent(event, fields, now()));
    const rejected = Promise.reject<TrackResult>(new RecommenderError('CLOSED'));
    // Waiting for track() is optional, so that nobody may be there to catch this.
    rejected.catch(() => undefined);
    return rejected;
  }

  async function status(): Promise<EngineStatus> {
    if (client.state === 'idle') return withoutEngine(consent, 'The worker starts with consent.');
    const answer = await ask('status', [], withoutEngine(consent, 'The worker did not answer.'));
    return withCodeBytes(answer);
  }

  async function close(): Promise<void> {
    closing.abort(new RecommenderError('CLOSED'));
    stopPageState();
    outbox.flush();
    await Promise.race([outbox.settled(), new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS))]);
    await client.close();
    if (consent === 'granted') outbox.keepForNextPage();
    listeners.clear();
  }

  begin();
  return {
    get consent() {
      return consent;
    },
    setConsent,
    track,
    rerank: (candidates, slateOptions) => {
      outbox.flush();
      return rerank(candidates, slateOptions);
    },
    predictNext: (candidates) => askOfShopper('predictNext', [plainCandidates.readAll(candidates)], []),
    forecast: async (series, { horizon = DEFAULT_HORIZON } = {}) => {
      const plain = toPlainDemand(series);
      return plain === undefined ? null : ask('forecast', [plain, { horizon }], null);
    },
    formula: async (candidate, { context } = {}) => {
      const plain = toPlainCandidate(candidate, fields);
      return plain === undefined ? null : askOfShopper('formula', [plain, toPlainContext(context)], null);
    },
    prefetch: (candidates, { signal } = {}) => askOfShopper('prefetch', [plainCandidates.readAll(candidates)], undefined, signal),
    status,
    exportData: () => call('exportData', []),
    eraseData: () => {
      outbox.drop();
      return call('eraseData', []);
    },
    close: () => (closed ??= close()),
    on: listeners.on,
  };
}
