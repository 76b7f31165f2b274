import { RecommenderError, serializeError } from '../errors.ts';
import { OnceReceiver } from '../lib/send-once.ts';
import type { Candidate } from '../types.ts';
import type { Engine, EngineEvents, EngineOptions, Request, Response } from './protocol.ts';

/** The worker's end of the line to the page. */
export interface EnginePort {
  postMessage(message: Response): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
}

export interface EngineStart {
  readonly options: EngineOptions;
  readonly emit: <K extends keyof EngineEvents>(type: K, detail: EngineEvents[K]) => void;
  /** Calls back when the page is hidden for good or for the back/forward cache, and when it is shown again. */
  readonly onPageState: (listener: (state: 'shown' | 'hidden') => void) => void;
}

/** Answers the page's calls with an engine; every call is answered once, with its value or its error. */
export function serveEngine(port: EnginePort, createEngine: (start: EngineStart) => Engine): void {
  const running = new Map<number, AbortController>();
  const receiver = new OnceReceiver<Candidate>();
  const pageListeners: ((state: 'shown' | 'hidden') => void)[] = [];
  let engine: Engine | undefined;
  let startError = new RecommenderError('INTERNAL', 'A call came before the start.');

  async function answer({ call, method, args, candidates }: Extract<Request, { type: 'call' }>): Promise<void> {
    const abort = new AbortController();
    const list = candidates ? [receiver.unpack(candidates)] : [];
    running.set(call, abort);
    try {
      if (engine === undefined) throw startError;
      // The client's side is typed from the same interface; a method that takes no signal leaves it.
      const value: unknown = await Reflect.apply(Reflect.get(engine, method), engine, [...list, ...args, abort.signal]);
      port.postMessage({ type: 'result', call, value });
    } catch (error) {
      port.postMessage({ type: 'error', call, error: serializeError(error) });
    } finally {
      running.delete(call);
    }
  }

  function start(options: EngineOptions): void {
    try {
      engine = createEngine({
        options,
        emit: (event, detail) => port.postMessage({ type: 'event', event, detail } as Response),
        onPageState: (listener) => void pageListeners.push(listener),
      });
    } catch (error) {
      startError = RecommenderError.from(error);
    }
  }

  port.addEventListener('message', ({ data }) => {
    if (data.type === 'start') start(data.options);
    else if (data.type === 'call') void answer(data);
    else if (data.type === 'abort') running.get(data.call)?.abort();
    else if (data.type === 'page') for (const listener of pageListeners) listener(data.state);
    else port.postMessage({ type: 'pong' });
  });
}
