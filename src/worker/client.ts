import { deserializeError, RecommenderError } from '../errors.ts';
import { OnceSender } from '../lib/send-once.ts';
import type { Candidate } from '../types.ts';
import type { EngineEventMessage, EngineOptions, Request, Response } from './protocol.ts';
import type { CallArguments, CallResult, Method, WorkerLike } from './rpc.ts';

// Two unanswered heartbeats mean blocked or dead. The longest task of ours, one text batch on the slowest device, is
// under one; a worker whose script is still on its way is not measured.
const HEARTBEAT_MS = 2_000;
// For the last rows to be stored and the database to be closed; then the worker is stopped all the same.
const CLOSE_PATIENCE_MS = 1_000;

/** Kept in the worker: some pages' worth of products, with what ranking has found out about each. */
const SENT_CANDIDATES = 2_000;
/** Methods whose first argument is a list of candidates. */
const TAKE_CANDIDATES: ReadonlySet<Method> = new Set(['rerank', 'predictNext', 'prefetch']);

export interface WorkerClientOptions {
  readonly createWorker: () => WorkerLike;
  /** The options of now: a restarted worker begins with the consent of its time. */
  readonly engineOptions: () => EngineOptions;
  readonly onEvent: (message: EngineEventMessage) => void;
  /** A worker was lost; `restarted` is false when it was the second one. */
  readonly onFailure: (error: RecommenderError, restarted: boolean) => void;
}

/** The engine, as the page sees it: every call settles, whatever becomes of the worker. */
export interface WorkerClient {
  /** `idle` until the first call; `failed` once the restarted worker was lost, too. */
  readonly state: 'idle' | 'loading' | 'ready' | 'failed' | 'closed';
  /** Starts the worker before the first call needs it; idempotent. */
  start(): void;
  /**
   * Calls a method of the engine; starts the worker first where there is none.
   * @throws RecommenderError the engine's own error, `WORKER_FAILED` or `CLOSED`; the reason of an aborted `signal`.
   */
  call<M extends Method>(method: M, args: CallArguments<M>, signal?: AbortSignal): Promise<CallResult<M>>;
  /** Tells the worker that the page is hidden or shown again. */
  pageState(state: 'shown' | 'hidden'): void;
  /** Closes the engine, stops the worker and rejects what is pending with `CLOSED`. */
  close(): Promise<void>;
}

interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: RecommenderError) => void;
}

/** Runs the engine in a worker, watches it, and restarts it once. */
export function createWorkerClient({ createWorker, engineOptions, onEvent, onFailure }: WorkerClientOptions): WorkerClient {
  const pending = new Map<number, PendingCall>();
  const sender = new OnceSender<Candidate>(SENT_CANDIDATES);
  let state: WorkerClient['state'] = 'idle';
  let worker: WorkerLike | undefined;
  let answered = false;
  let restarts = 1;
  let calls = 0;
  let missed = 0;
  let heartbeat: ReturnType<typeof setTimeout> | undefined;

  function post(message: Request): void {
    worker?.postMessage(message);
  }

  function start(): void {
    state = 'loading';
    answered = false;
    let started: WorkerLike;
    try {
      started = createWorker();
    } catch (error) {
      fail(RecommenderError.from(error, 'WORKER_FAILED'));
      return;
    }
    worker = started;
    sender.reset();
    // A worker that was given up may still have messages on their way.
    const whileCurrent =
      <E>(listener: (event: E) => void) =>
      (event: E): void => {
        if (worker === started) listener(event);
      };
    started.addEventListener('message', whileCurrent((event: MessageEvent<Response>) => receive(event.data)));
    started.addEventListener('error', whileCurrent((event: ErrorEvent) => fail(new RecommenderError('WORKER_FAILED', event.message))));
    started.addEventListener('messageerror', whileCurrent(() => fail(new RecommenderError('WORKER_FAILED', 'A message was not readable.'))));
    post({ type: 'start', options: engineOptions() });
    post({ type: 'ping' });
  }

  function receive(message: Response): void {
    answered = true;
    missed = 0;
    if (message.type === 'event') {
      if (message.event === 'ready') state = 'ready';
      onEvent(message);
    } else if (message.type !== 'pong') {
      const call = pending.get(message.call);
      pending.delete(message.call);
      if (message.type === 'result') call?.resolve(message.value);
      else call?.reject(deserializeError(message.error));
    }
    watch();
  }

  function stop(reason: RecommenderError): void {
    clearTimeout(heartbeat);
    heartbeat = undefined;
    worker?.terminate();
    worker = undefined;
    const lost = [...pending.values()];
    pending.clear();
    for (const call of lost) call.reject(reason);
  }

  function fail(error: RecommenderError): void {
    const restarted = restarts > 0;
    restarts -= 1;
    state = restarted ? 'idle' : 'failed';
    stop(error);
    onFailure(error, restarted);
    // `onFailure` may have closed the client, or have started the next worker with a call.
    if (restarted && worker === undefined && state === 'idle') start();
  }

  /** Heartbeats run only while somebody waits for an answer. */
  function watch(): void {
    if (pending.size === 0) {
      clearTimeout(heartbeat);
      heartbeat = undefined;
    } else if (answered && heartbeat === undefined) {
      missed = 0;
      beat();
    }
  }

  function beat(): void {
    if (missed === 2) {
      fail(new RecommenderError('WORKER_FAILED', `It did not answer for ${(2 * HEARTBEAT_MS) / 1000} seconds.`));
      return;
    }
    missed += 1;
    post({ type: 'ping' });
    heartbeat = setTimeout(beat, HEARTBEAT_MS);
  }

  function postCall(call: number, method: Method, args: readonly unknown[]): void {
    if (!TAKE_CANDIDATES.has(method)) {
      post({ type: 'call', call, method, args });
      return;
    }
    const [candidates, ...rest] = args;
    try {
      post({ type: 'call', call, method, args: rest, candidates: sender.pack(candidates as readonly Candidate[]) });
    } catch (error) {
      sender.reset(); // the worker has not got them
      throw error;
    }
  }

  function call<M extends Method>(method: M, args: CallArguments<M>, signal?: AbortSignal): Promise<CallResult<M>> {
    return new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted();
      if (state === 'closed') throw new RecommenderError('CLOSED');
      if (state === 'idle') start();
      if (worker === undefined) throw new RecommenderError('WORKER_FAILED');
      const number = ++calls;
      postCall(number, method, args);
      const onAbort = (): void => {
        pending.delete(number);
        post({ type: 'abort', call: number });
        resolve(Promise.resolve().then(() => signal?.throwIfAborted()));
      };
      const forgetSignal = (): void => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      pending.set(number, {
        resolve: (value) => {
          forgetSignal();
          resolve(value);
        },
        reject: (error) => {
          forgetSignal();
          reject(error);
        },
      });
      watch();
    }) as Promise<CallResult<M>>;
  }

  return {
    get state() {
      return state;
    },
    start: () => {
      if (state === 'idle') start();
    },
    call,
    pageState: (page) => {
      if (worker === undefined) return;
      post({ type: 'page', state: page });
      // Time in the back/forward cache is nobody's silence.
      clearTimeout(heartbeat);
      heartbeat = undefined;
      if (page === 'shown') watch();
    },
    close: async () => {
      if (state === 'closed') return;
      if (worker !== undefined) {
        const patience = new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS));
        await Promise.race([call('close', []).catch(() => undefined), patience]);
      }
      state = 'closed';
      stop(new RecommenderError('CLOSED'));
    },
  };
}
