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

/** A text of the page that asks, which ranks one slate as a search would. */
export interface PageText {
  readonly text: string;
  /** [text] */
  readonly textVector: Float32Array;
}

/** What the shopper did, seen from the moment of a request. */
export interface ShopperView {
  readonly context: SessionContext;
  /** Vectors of the page's texts and of the newest behaviours', newest first, [texts, text], and how much each counts. */
  readonly texts: Float32Array;
  readonly textWeights: readonly number[];
  /** The texts themselves, in the same order; null where the event did not bring its own. */
  readonly titles: readonly (string | null)[];
  /** How many of them the page brought. */
  readonly pageTexts: number;
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
/** With so many behaviours known a page's texts count half; before the first, as searches. Other numbers were not compared. */
const PAGE_HALVES_AT = 10;

/** Splits the events (oldest first) into the current session and what came before, and gathers what the features need, those of a page that says `page`, too. */
export function viewShopper(events: readonly ShopperEvent[], now: number, textDimensions: number, page: readonly PageText[] = []): ShopperView {
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
  const recent = recentTexts(events, unsaid(page, events.slice(sessionStart)), textDimensions);
  return {
    context: {
      session: session.map(({ index, kind }) => ({ item: index, weight: BEHAVIOUR_WEIGHTS[kind] })),
      history: history.map(({ index, kind, time }) => ({ item: index, weight: BEHAVIOUR_WEIGHTS[kind], time })),
      now,
    },
    texts: recent.vectors,
    textWeights: recent.weights,
    titles: recent.titles,
    pageTexts: recent.pageTexts,
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

interface RecentTexts {
  readonly vectors: Float32Array;
  readonly weights: readonly number[];
  readonly titles: readonly (string | null)[];
  readonly pageTexts: number;
}

/** The page's texts, which fade with what is known of the shopper, and then the newest behaviours'. */
function recentTexts(events: readonly ShopperEvent[], page: readonly PageText[], textDimensions: number): RecentTexts {
  if (textDimensions === 0) return { vectors: new Float32Array(0), weights: [], titles: [], pageTexts: 0 };
  const known = page.length > 0 ? events.filter((event) => textWeight(event) > 0).length : 0;
  const rows = page.map(({ textVector }) => textVector);
  const weights = page.map((_, at) => (SEARCH_WEIGHT * RECENCY_DECAY ** at) / (1 + known / PAGE_HALVES_AT));
  const titles: (string | null)[] = page.map(({ text }) => text);
  for (let event = events.length - 1; event >= 0 && rows.length < page.length + RECENT_TEXTS; event--) {
    const { textVector, text } = events[event]!;
    const weight = textWeight(events[event]!);
    if (!textVector || weight <= 0) continue;
    weights.push(weight * RECENCY_DECAY ** (rows.length - page.length));
    rows.push(textVector);
    titles.push(text ?? null);
  }
  const vectors = new Float32Array(rows.length * textDimensions);
  rows.forEach((row, at) => vectors.set(row, at * textDimensions));
  return { vectors, weights, titles, pageTexts: page.length };
}

function textWeight({ kind }: ShopperEvent): number {
  return kind === 'search' ? SEARCH_WEIGHT : BEHAVIOUR_WEIGHTS[kind];
}

/** The page's texts that are not the same as another before them, nor as what the shopper typed or saw in this session: that has its say already. */
function unsaid(page: readonly PageText[], session: readonly ShopperEvent[]): PageText[] {
  if (page.length === 0) return [];
  const plain = (text: string): string => text.trim().toLowerCase();
  const said = new Set(session.map(({ text }) => plain(text ?? '')));
  return page.filter(({ text }) => !said.has(plain(text)) && said.add(plain(text)));
}
