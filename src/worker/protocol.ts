import type { SerializedError } from '../errors.ts';
import type { SentOnce } from '../lib/send-once.ts';
import type { BehaviourEvent, Candidate, Consent, DemandSeries, DeviceChoice, Forecast, ItemId, NextBehaviour, PageContext, TrackResult } from '../types.ts';
import type { ShopperExport, StoreSizes } from '../storage/shopper-store.ts';

/** What the engine needs to know; plain data, so that it crosses to the worker. */
export interface EngineOptions {
  /** Absolute address of the recommender's pack.json. */
  readonly pack: string;
  readonly device: DeviceChoice;
  readonly consent: Consent;
  readonly partition: string;
  readonly database: string;
}

/** An event with the id that makes storing it twice harmless. */
export interface TrackedEvent {
  readonly id: string;
  readonly event: BehaviourEvent & { readonly time: number };
}

export interface RerankOptions {
  readonly limit: number;
  readonly deadlineMs: number;
  readonly context?: PageContext;
}

/** The new order, best first, as positions in the request: the page hands back its own objects. Typed arrays, since thousands of small objects are slow to send. */
export interface RankedPositions {
  readonly serverPositions: Int32Array;
  /** y of each; NaN where the server's position was kept. */
  readonly scores: Float32Array;
}

export interface RerankAnswer {
  readonly slate: string;
  readonly ranked: RankedPositions;
  readonly complete: boolean;
  readonly device: string;
  readonly timings: StageTimings;
  readonly packRevision: string;
}

/** Milliseconds per stage of the last request. */
export interface StageTimings {
  readonly encodeMs: number;
  readonly advanceMs: number;
  readonly forecastMs: number;
  readonly scoreMs: number;
  readonly totalMs: number;
}

/** The live values of y = f_DNN(u_u, v_i(t+1), h_u) for one candidate. */
export interface FormulaValues {
  readonly id: ItemId;
  /** u_u: the shopper's text vector, [dimensions]; null before the first behaviour. */
  readonly user: readonly number[] | null;
  /** v_i: the item's text vector, [dimensions]. */
  readonly item: readonly number[] | null;
  /** v_i(t+1): forecast of next week's sales; null without a demand series. */
  readonly forecast: number | null;
  /** h_u(t): the interest LSTM's hidden state, [hidden]. */
  readonly hidden: readonly number[];
  /** p(next = i) over the pack's catalogue. */
  readonly probability: number;
  /** The head's input, by the feature schema's names; null where the mask is missing. */
  readonly features: Readonly<Record<string, number | null>>;
  readonly score: number;
}

export interface EngineStatus {
  readonly consent: Consent;
  /** One line per workload: which device serves, and why. */
  readonly devices: Readonly<Record<'encode' | 'sequence' | 'score', { readonly device: string; readonly why: string }>>;
  readonly packs: readonly { readonly name: string; readonly revision: string; readonly kind: string }[];
  readonly store: { readonly home: 'indexeddb' | 'memory' | 'none' } & StoreSizes;
  readonly timings: StageTimings | null;
  readonly queue: { readonly encoding: number };
  /** Every request Shelfwise itself made, with its reason. */
  readonly ledger: readonly LedgerEntry[];
}

export interface LedgerEntry {
  readonly time: number;
  readonly url: string;
  readonly reason: string;
  readonly bytes: number;
}

/** What the engine tells the page without being asked. */
export interface EngineEvents {
  /** A new call of rerank for this slate would differ: the vectors that it waited for are there. */
  improved: { readonly slate: string };
  /** Another tab changed the history. */
  changed: { readonly reason: 'appended' | 'erased' };
  /** The server's order was kept, or a device or store was given up. */
  fallback: { readonly code: SerializedError['code']; readonly message: string };
  /** Packs are loaded and checked; requests are ranked from now on. */
  ready: { readonly device: string };
}

/** What runs in the worker, or in-process in tests and benches. The client's calls are typed from this. */
export interface Engine {
  setConsent(consent: Consent): Promise<void>;
  track(events: readonly TrackedEvent[]): Promise<TrackResult[]>;
  rerank(candidates: readonly Candidate[], options: RerankOptions, signal?: AbortSignal): Promise<RerankAnswer>;
  predictNext(candidates: readonly Candidate[]): Promise<NextBehaviour[]>;
  forecast(series: DemandSeries, options: { horizon: number }): Promise<Forecast>;
  /** The formula's live values for one candidate, as the last state of the shopper has them, on a page that says this. */
  formula(candidate: Candidate, context?: PageContext): Promise<FormulaValues>;
  /** Encodes items in idle time so that later slates are complete at once; resolves when done. */
  prefetch(candidates: readonly Candidate[], signal?: AbortSignal): Promise<void>;
  status(): Promise<EngineStatus>;
  exportData(): Promise<ShopperExport>;
  eraseData(): Promise<void>;
  close(): Promise<void>;
}

/** Page to worker. */
export type Request =
  | { readonly type: 'start'; readonly options: EngineOptions }
  /** `candidates` stands for the first argument of a method that takes a list of them. */
  | { readonly type: 'call'; readonly call: number; readonly method: keyof Engine; readonly args: readonly unknown[]; readonly candidates?: SentOnce<Candidate> }
  | { readonly type: 'abort'; readonly call: number }
  /** Answered at once between two tasks: no answer means that the worker is blocked or dead. */
  | { readonly type: 'ping' }
  /** `hidden`: the page may enter the back/forward cache, and nothing of the worker's may keep it out. */
  | { readonly type: 'page'; readonly state: 'shown' | 'hidden' };

/** Worker to page. */
export type Response =
  | { readonly type: 'result'; readonly call: number; readonly value: unknown }
  | { readonly type: 'error'; readonly call: number; readonly error: SerializedError }
  | { readonly type: 'pong' }
  | EngineEventMessage;

export type EngineEventMessage<Type extends keyof EngineEvents = keyof EngineEvents> = {
  [K in Type]: { readonly type: 'event'; readonly event: K; readonly detail: EngineEvents[K] };
}[Type];
