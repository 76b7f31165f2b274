import type { Engine, EngineEvents, EngineOptions, EngineStatus, RerankAnswer, StageTimings } from '../../src/worker/protocol.ts';
import { serveEngine } from '../../src/worker/rpc-server.ts';
import type { TrackResult } from '../../src/types.ts';

const NO_TIME: StageTimings = { encodeMs: 0, advanceMs: 0, forecastMs: 0, scoreMs: 0, totalMs: 0 };

/** An answer with these request indexes, best first. */
export function answerWith(order: readonly number[], { complete = true, slate = 'slate' } = {}): RerankAnswer {
  const ranked = { serverPositions: Int32Array.from(order), scores: Float32Array.from(order, (_, position) => order.length - position) };
  return { slate, ranked, complete, device: 'reference', timings: NO_TIME, packRevision: 'pack' };
}

const EMPTY_STATUS: EngineStatus = {
  consent: 'granted',
  devices: { encode: { device: 'reference', why: 'test' }, sequence: { device: 'reference', why: 'test' }, score: { device: 'reference', why: 'test' } },
  packs: [],
  store: { home: 'memory', behaviourRows: 0, vectors: 0, slates: 0 },
  timings: null,
  queue: { encoding: 0 },
  ledger: [],
};

/** An engine that reverses the server's order and answers all else with the simplest value; each method can be replaced. */
export function createTestEngine(replaced: Partial<Engine> = {}): Engine {
  return {
    setConsent: () => Promise.resolve(),
    track: (events) => Promise.resolve(events.map((): TrackResult => 'stored')),
    rerank: (candidates) => Promise.resolve(answerWith(candidates.map((_, position) => candidates.length - 1 - position))),
    predictNext: (candidates) => Promise.resolve(candidates.map(({ id }) => ({ id, kind: 'view', probability: 1 / candidates.length, kinds: { view: 1 / candidates.length }, daysToPurchase: null }))),
    forecast: (_series, { horizon }) =>
      Promise.resolve({ mean: new Array<number>(horizon).fill(2.5), median: new Array<number>(horizon).fill(2), low: new Array<number>(horizon).fill(1), high: new Array<number>(horizon).fill(3) }),
    formula: ({ id }) => Promise.resolve({ id, user: null, item: [1], forecast: null, hidden: [0], probability: 1, features: {}, score: 1 }),
    prefetch: () => Promise.resolve(),
    status: () => Promise.resolve(EMPTY_STATUS),
    exportData: () => Promise.resolve({ exportedAt: '', partition: 'anonymous', behaviour: [], slates: [], checkpoints: [] }),
    eraseData: () => Promise.resolve(),
    close: () => Promise.resolve(),
    ...replaced,
  };
}

/** How the test's worker behaves beside its engine. */
export interface EngineWorkerOptions {
  readonly engine?: (options: EngineOptions) => Engine;
  /** Says `ready` as soon as it is started; default true. */
  readonly ready?: boolean;
}

/** A Worker whose thread is this one: messages are cloned and arrive later, as in a browser. */
export class EngineWorker extends EventTarget implements Worker {
  onmessage: Worker['onmessage'] = null;
  onmessageerror: Worker['onmessageerror'] = null;
  onerror: Worker['onerror'] = null;
  readonly started: EngineOptions[] = [];
  readonly pageStates: ('shown' | 'hidden')[] = [];
  terminated = false;
  #toWorker: MessagePort;
  #inWorker: MessagePort;
  #emit: (<K extends keyof EngineEvents>(type: K, detail: EngineEvents[K]) => void) | undefined;

  constructor({ engine = () => createTestEngine(), ready = true }: EngineWorkerOptions = {}) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#toWorker = port1;
    this.#inWorker = port2;
    port1.addEventListener('message', ({ data }) => this.dispatchEvent(new MessageEvent('message', { data: data as unknown })));
    serveEngine(port2, ({ options, emit, onPageState }) => {
      this.started.push(options);
      this.#emit = emit;
      onPageState((state) => this.pageStates.push(state));
      if (ready) queueMicrotask(() => emit('ready', { device: 'reference' }));
      return engine(options);
    });
    port1.start();
    port2.start();
  }

  emit<K extends keyof EngineEvents>(type: K, detail: EngineEvents[K]): void {
    this.#emit?.(type, detail);
  }

  postMessage(message: unknown): void {
    if (!this.terminated) this.#toWorker.postMessage(message);
  }

  /** The thread ends without a word, as when the browser is out of memory. */
  die(): void {
    this.#inWorker.close();
  }

  terminate(): void {
    this.terminated = true;
    this.#toWorker.close();
  }
}
