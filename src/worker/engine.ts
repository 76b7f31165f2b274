import { toBehaviourRow } from '../behaviour/event-log.ts';
import { PRIORITY } from '../encoder/encoding-queue.ts';
import { RecommenderError } from '../errors.ts';
import { Patience } from '../lib/patience.ts';
import { createConsentGate } from '../privacy/consent.ts';
import type { NewBehaviourRow } from '../storage/shopper-store.ts';
import type { Consent, TrackResult } from '../types.ts';
import { modelStatus, storeStatus } from './engine-status.ts';
import type { EngineEnvironment } from './environment.ts';
import type { LiveShopper } from './live-shopper.ts';
import { loadModels, type LoadModelsOptions, type Models } from './models.ts';
import type { Engine, EngineOptions, StageTimings } from './protocol.ts';
import { rerank } from './rerank.ts';
import { Visit } from './visit.ts';

// Before anything was measured; 500 candidates take 2 to 10 ms.
const FIRST_SCORING_MS = 10;
// A slow request is forgotten over the next dozen.
const SCORING_DECAY = 0.8;

export interface SharedModels {
  /** Models that several engines of one thread share, for instance one per shopper in a bench; whoever made them disposes them. */
  readonly models?: Promise<Models>;
}

/**
 * The composition root: keeps one shopper's history, loads the models, and answers the page. Work starts at once; what is
 * tracked before the packs are loaded is stored, and what needs models waits for them.
 * Every call resolves, or rejects with a RecommenderError: `CONSENT_DENIED`, `WARMING_UP` when a deadline passed before the models
 * were there, the reason why there are none, `ABORTED`, or `CLOSED`.
 */
export function createEngine(options: EngineOptions, environment: EngineEnvironment, { models: shared }: SharedModels = {}): Engine {
  const { partition } = options;
  const closing = new AbortController();
  let consent = options.consent;
  let timings: StageTimings | null = null;
  let scoringMs = FIRST_SCORING_MS; // what forecasting and scoring lately took at most
  let closed: Promise<void> | undefined;
  let models: Models | undefined;
  let failure: RecommenderError | undefined;

  function report(error: unknown): void {
    if (closing.signal.aborted) return;
    const { code, message } = RecommenderError.from(error);
    environment.emit('fallback', { code, message });
  }

  const gate = createConsentGate({ partition, consent, openStore: (home) => environment.openStore(home) });
  const settings: LoadModelsOptions['settings'] = {
    readSetting: async (key) => (await visit)?.store.readSetting(key),
    writeSetting: async (key, value) => (await visit)?.store.writeSetting(key, value),
  };
  const loading = shared ?? loadModels(options, environment, { signal: closing.signal, report, settings });
  loading.then(
    (loaded) => {
      models = loaded;
      if (!closing.signal.aborted) environment.emit('ready', { device: loaded.devices.score.device });
    },
    (error: unknown) => {
      failure = RecommenderError.from(error);
      report(failure);
    },
  );

  /** The visit that is open; undefined while it changes. */
  let current: Visit | null | undefined;
  let changes = 0;
  let visit: Promise<Visit | null> = openVisit(changes);
  visit.catch(report);

  async function openVisit(change: number): Promise<Visit | null> {
    if (closing.signal.aborted) return null;
    const store = await gate.store();
    const opened = store && new Visit({ partition, store, models: loading, mayWrite: () => environment.isWriter(), report, onChange });
    if (change === changes) current = opened;
    return opened;
  }

  /** Ends the visit, does what must not meet its writes, and opens the next; calls made from now on wait for that one. */
  function changeVisit(work: () => Promise<void>): Promise<void> {
    const before = visit;
    const change = ++changes;
    current = undefined;
    visit = (async () => {
      await before.then((ended) => ended?.end()).catch(report);
      await work();
      return openVisit(change);
    })();
    return visit.then(() => undefined);
  }

  function onChange(reason: 'appended' | 'erased'): void {
    if (reason === 'erased') changeVisit(forgetVectors).catch(report);
    environment.emit('changed', { reason });
  }

  async function forgetVectors(): Promise<void> {
    await models?.vectors.clear();
    models?.candidates.clear();
  }

  /** The visit, with all that was written to it by now in its store. */
  async function writtenVisit(): Promise<Visit | null> {
    const opened = await visit;
    await opened?.written();
    return opened;
  }

  /** The models and the shopper with all that is stored by now; @throws RecommenderError `CONSENT_DENIED` */
  async function shopperNow(patience: Patience): Promise<{ models: Models; visit: Visit; shopper: LiveShopper } | 'late'> {
    if (consent === 'denied') throw new RecommenderError('CONSENT_DENIED');
    const loaded = models ?? (await patience.until(loading));
    if (loaded === 'late') return 'late';
    const opened = current === undefined ? await patience.until(visit) : current;
    if (opened === 'late') return 'late';
    if (opened === null) throw new RecommenderError('CONSENT_DENIED');
    // What was tracked before a request belongs to its shopper, even while it is still being stored.
    if (opened.isAppending) await patience.until(opened.appended());
    const shopper = opened.live ?? (await patience.until(opened.shopper));
    return shopper === 'late' ? 'late' : { models: loaded, visit: opened, shopper };
  }

  /** Runs a call with its patience; none starts after close(). */
  async function call<T>(work: (patience: Patience) => Promise<T>, { deadlineMs = Infinity, signal }: { deadlineMs?: number; signal?: AbortSignal | undefined } = {}): Promise<T> {
    const patience = new Patience({
      milliseconds: deadlineMs >= 0 ? deadlineMs : 0,
      signals: [
        [closing.signal, 'CLOSED'],
        [signal, 'ABORTED'],
      ],
    });
    try {
      patience.check();
      return await work(patience);
    } catch (error) {
      throw RecommenderError.from(error);
    } finally {
      patience.end();
    }
  }

  /** For calls about the shopper that have no deadline: everything tracked before is in the state. */
  async function settledShopper(patience: Patience): Promise<{ models: Models; shopper: LiveShopper }> {
    const ready = await shopperNow(patience);
    if (ready === 'late') throw new RecommenderError('WARMING_UP');
    await patience.until(ready.shopper.settled());
    return ready;
  }

  return {
    setConsent: (next: Consent) =>
      call(async () => {
        consent = next;
        await changeVisit(() => gate.set(next));
      }),

    track: (events) =>
      call(async () => {
        const opened = current === undefined ? await visit : current;
        if (opened === null) return events.map((): TrackResult => 'dropped');
        const rows = events.map((event) => toBehaviourRow(event, { partition, now: environment.now() }));
        const valid = rows.filter((row): row is NewBehaviourRow => !(row instanceof RecommenderError));
        await opened.append(valid);
        const kept: TrackResult = opened.store.home === 'indexeddb' ? 'stored' : 'memory';
        return rows.map((row): TrackResult => {
          if (!(row instanceof RecommenderError)) return kept;
          report(row);
          return 'dropped';
        });
      }),

    rerank: (candidates, { limit, deadlineMs, context }, signal) =>
      call(
        async (patience) => {
          if (!Array.isArray(candidates)) throw new RecommenderError('INVALID_CANDIDATES');
          const ready = await shopperNow(patience);
          if (ready === 'late') throw new RecommenderError('WARMING_UP');
          const { models: loaded, visit: opened, shopper } = ready;
          const endRequest = loaded.vectors.beginRequest();
          const { answer, shown, improvement } = await rerank({ models: loaded, shopper, now: environment.now(), partition, page: context, patience, report }, candidates, limit).finally(endRequest);
          timings = answer.timings;
          scoringMs = Math.max(timings.forecastMs + timings.scoreMs, SCORING_DECAY * scoringMs);
          opened.logSlate(shown);
          void improvement?.then((differs) => {
            if (differs && current === opened && !closing.signal.aborted) environment.emit('improved', { slate: answer.slate });
          });
          return answer;
        },
        // What is waited for must leave time to score what is there by then.
        { deadlineMs: deadlineMs - Math.min(deadlineMs / 2, scoringMs), signal },
      ),

    predictNext: (candidates) =>
      call(async (patience) => {
        return (await loadInsight()).predictNext(await settledShopper(patience), candidates, patience);
      }),

    forecast: (series, { horizon }) =>
      call(async (patience) => {
        const loaded = models ?? (await patience.until(loading));
        if (loaded === 'late' || loaded.demand === null) throw new RecommenderError('PACK_UNAVAILABLE', 'This pack has no demand LSTM.');
        const [forecast] = await loaded.demand.forecast([series], { horizon });
        return forecast!;
      }),

    formula: (candidate, context) =>
      call(async (patience) => {
        return (await loadInsight()).formula(await settledShopper(patience), candidate, { page: context, patience, now: environment.now() });
      }),

    prefetch: (candidates, signal) =>
      call(
        async (patience) => {
          if (consent === 'denied') return;
          const loaded = models ?? (await patience.until(loading));
          if (loaded === 'late') return;
          await patience.until(loaded.vectors.enqueue(loaded.candidates.read(candidates).missingTexts(), { priority: PRIORITY.prefetch, signal }));
        },
        { signal },
      ),

    status: () =>
      call(async () => ({
        consent,
        ...modelStatus(models, failure),
        store: await storeStatus((await writtenVisit())?.store ?? null),
        timings,
        ledger: environment.ledger(),
      })),

    exportData: () =>
      call(async () => {
        await writtenVisit();
        return gate.exportData();
      }),

    eraseData: () =>
      call(() =>
        changeVisit(async () => {
          await forgetVectors();
          await gate.erase();
        }),
      ),

    close: () =>
      (closed ??= (async () => {
        closing.abort(new RecommenderError('CLOSED'));
        await changeVisit(() => gate.close()).catch(() => undefined);
        if (shared === undefined) await loading.then((loaded) => loaded.dispose()).catch(() => undefined);
      })()),
  };
}

/** What a re-rank never asks for is a chunk of its own. */
async function loadInsight(): Promise<typeof import('./insight.ts')> {
  try {
    return await import('./insight.ts');
  } catch (error) {
    throw RecommenderError.from(error, 'WORKER_FAILED');
  }
}
