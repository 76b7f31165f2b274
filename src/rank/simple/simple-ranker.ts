import type { BehaviourKind } from '../../types.ts';

/** How much one behaviour says about liking the item; a purchase is the unit. Kinds at 0 are no evidence. */
export const BEHAVIOUR_WEIGHTS: Readonly<Record<BehaviourKind, number>> = {
  purchase: 1,
  cart: 0.6,
  wishlist: 0.5,
  share: 0.5,
  rate: 0.4,
  view: 0.25,
  click: 0.25,
  dwell: 0.25,
  impression: 0,
  search: 0,
  remove: 0,
};

/** A behaviour of the current session: item index and the weight of its kind. */
export interface SessionItem {
  readonly item: number;
  readonly weight: number;
}

/** A behaviour of an earlier session, at `time` in Unix seconds. */
export interface HistoryItem extends SessionItem {
  readonly time: number;
}

/** All that a simple ranker may look at; items that the catalogue does not know are left out by the caller. */
export interface SessionContext {
  /** Oldest first. */
  readonly session: readonly SessionItem[];
  /** Everything before the session, in any order. */
  readonly history: readonly HistoryItem[];
  /** Unix seconds; nothing at or after it is looked at. */
  readonly now: number;
}

/** A counted ranker: baseline in the benches, feature of the joint head. */
export interface SimpleRanker {
  readonly name: string;
  /** Overwrites out [items] with scores at least 0, where 0 says "no evidence" and higher is better. */
  score(context: SessionContext, out: Float32Array): void;
}
