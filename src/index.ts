export { createRecommender } from './recommender.ts';
export type { Recommender, RecommenderEventMap } from './recommender.ts';
export type { SlateOptions } from './page/reranker.ts';
export type { RecommenderOptions } from './options.ts';
export { RecommenderError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export type {
  BehaviourEvent,
  BehaviourKind,
  Candidate,
  Consent,
  DemandSeries,
  DeviceChoice,
  DeviceName,
  Fallback,
  Forecast,
  Item,
  ItemId,
  NextBehaviour,
  PageContext,
  QuantisedVector,
  RankedItem,
  Slate,
  TrackResult,
} from './types.ts';
export type { BehaviourRow, ShopperExport } from './storage/shopper-store.ts';
export type { EngineStatus, FormulaValues, LedgerEntry, StageTimings } from './worker/protocol.ts';
