import type { BehaviourKind } from '../types.ts';
import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import { viewPurchases, type ShopperPurchases } from './shopper-purchases.ts';
import { BEHAVIOUR_WEIGHTS, type SessionContext } from './simple/simple-ranker.ts';

/** A behaviour as ranking reads it. */
export interface ShopperEvent {
  /** null for a search. */
  readonly itemId: string | null;
  /** The item's row in the pack's catalogue, or -1. */
  readonly index: number;
  readonly kind: BehaviourKind;
  /** Unix seconds. */
  readonly time: number;
  /** 0 to 1, null without a price. */
  readonly pricePosition: number | null;
  /** Vector of the item's or the query's text, [text]; null while it is not encoded. */
  readonly textVector: Float32Array | null;
  /** The item's or the query's text itself, where its words are asked for. */
  readonly text?: string | null;
}

/** What the shopper did, seen from the moment of a request. */
export interface ShopperView {
  readonly context: SessionContext;
  /** Vectors of the newest behaviours' texts, newest first, [texts, text], and how much each counts. */
  readonly texts: Float32Array;
  readonly textWeights: readonly number[];
  /** The texts themselves, in the same order; null where the event did not bring its own. */
  readonly titles: readonly (string | null)[];
  /** Item id -> Unix seconds of the newest behaviour. */
  readonly lastTouched: ReadonlyMap<string, number>;
  readonly purchases: ShopperPurchases;
  readonly pricePosition: number | null;
  readonly historyLength: number;
  readonly sessionLength: number;
  readonly now: number;
}

/** Newest texts that u_u is made of; other numbers were not compared. */
export const RECENT_TEXTS = 10;

const SEARCH_WEIGHT = 0.6; // a typed query says as much as a cart
const RECENCY_DECAY = 0.85; // per behaviour back

/** Splits the events (oldest first) into the current session and what came before, and gathers what the features need. */
export function viewShopper(events: readonly ShopperEvent[], now: number, textDimensions: number): ShopperView {
  let sessionStart = events.length;
  let next = now;
  while (sessionStart > 0 && next - events[sessionStart - 1]!.time <= SESSION_GAP_SECONDS) {
    sessionStart--;
    next = events[sessionStart]!.time;
  }
  const lastTouched = new Map<string, number>();
  let priceSum = 0;
  let priced = 0;
  for (const { itemId, time, kind, pricePosition } of events) {
    if (itemId === null || kind === 'impression') continue;
    lastTouched.set(itemId, time);
    if (pricePosition === null) continue;
    priceSum += pricePosition;
    priced++;
  }
  const known = (event: ShopperEvent): boolean => event.index >= 0 && BEHAVIOUR_WEIGHTS[event.kind] > 0;
  const session = events.slice(sessionStart).filter(known);
  const history = events.slice(0, sessionStart).filter(known);
  const recent = recentTexts(events, textDimensions);
  return {
    context: {
      session: session.map(({ index, kind }) => ({ item: index, weight: BEHAVIOUR_WEIGHTS[kind] })),
      history: history.map(({ index, kind, time }) => ({ item: index, weight: BEHAVIOUR_WEIGHTS[kind], time })),
      now,
    },
    texts: recent.vectors,
    textWeights: recent.weights,
    titles: recent.titles,
    lastTouched,
    purchases: viewPurchases(events),
    pricePosition: priced === 0 ? null : priceSum / priced,
    historyLength: history.length,
    sessionLength: session.length,
    now,
  };
}

/** The weighted mean u_u of the recent texts, unit length, [text]; null without any. */
export function userTextVector(view: ShopperView, textDimensions: number): Float32Array | null {
  if (view.textWeights.length === 0) return null;
  const mean = new Float32Array(textDimensions);
  view.textWeights.forEach((weight, row) => {
    for (let k = 0; k < textDimensions; k++) mean[k]! += weight * view.texts[row * textDimensions + k]!;
  });
  const norm = Math.hypot(...mean) || 1;
  return mean.map((value) => value / norm);
}

function recentTexts(events: readonly ShopperEvent[], textDimensions: number): { vectors: Float32Array; weights: number[]; titles: (string | null)[] } {
  const rows: Float32Array[] = [];
  const weights: number[] = [];
  const titles: (string | null)[] = [];
  for (let event = events.length - 1; event >= 0 && textDimensions > 0 && rows.length < RECENT_TEXTS; event--) {
    const { textVector, text, kind } = events[event]!;
    const kindWeight = kind === 'search' ? SEARCH_WEIGHT : BEHAVIOUR_WEIGHTS[kind];
    if (!textVector || kindWeight <= 0) continue;
    weights.push(kindWeight * RECENCY_DECAY ** rows.length);
    rows.push(textVector);
    titles.push(text ?? null);
  }
  const vectors = new Float32Array(rows.length * textDimensions);
  rows.forEach((row, at) => vectors.set(row, at * textDimensions));
  return { vectors, weights, titles };
}
