import type { BehaviourKind } from '../types.ts';
import { BEHAVIOUR_KINDS } from './kinds.ts';

/** A pause longer than this starts a new session (the usual half hour of web analytics). */
export const SESSION_GAP_SECONDS = 30 * 60;

/** What the interest LSTM sees of an event beside the item's embedding: kind one-hot, gap, session start, price, known. */
export const EVENT_FEATURES = BEHAVIOUR_KINDS.length + 5;

const LOG_GAP_SCALE = 1 / Math.log1p(365 * 86_400); // a year's pause is 1

export interface EventContext {
  readonly kind: BehaviourKind;
  /** Seconds since the shopper's previous event; 0 or less where the clock ran backwards; null for the first. */
  readonly gapSeconds: number | null;
  /** Position of the price in the catalogue's prices, 0 cheapest to 1 dearest; null where there is no price. */
  readonly pricePosition: number | null;
  /** Whether training has seen the item. */
  readonly known: boolean;
}

/** Writes one event's features at `offset`: [EVENT_FEATURES]. */
export function writeEventFeatures(out: Float32Array, offset: number, event: EventContext): void {
  out.fill(0, offset, offset + EVENT_FEATURES);
  out[offset + BEHAVIOUR_KINDS.indexOf(event.kind)] = 1;
  const rest = offset + BEHAVIOUR_KINDS.length;
  const gap = event.gapSeconds === null ? 0 : Math.max(0, event.gapSeconds);
  out[rest] = Math.log1p(gap) * LOG_GAP_SCALE;
  out[rest + 1] = event.gapSeconds === null || gap > SESSION_GAP_SECONDS ? 1 : 0;
  out[rest + 2] = event.pricePosition === null ? 0 : event.pricePosition - 0.5;
  out[rest + 3] = event.pricePosition === null ? 1 : 0;
  out[rest + 4] = event.known ? 1 : 0;
}

/** Points of a catalogue's price distribution, evenly spaced from the cheapest to the dearest. */
export const PRICE_QUANTILES = 101;

/** Where a price stands among the catalogue's: `quantiles` ascending from minimum to maximum -> 0 to 1, null without a price. */
export function pricePosition(price: number | null | undefined, quantiles: Float32Array): number | null {
  if (price === null || price === undefined || !Number.isFinite(price) || quantiles.length < 2) return null;
  let low = 0;
  let high = quantiles.length - 1;
  if (price <= quantiles[0]!) return 0;
  if (price >= quantiles[high]!) return 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (quantiles[middle]! <= price) low = middle;
    else high = middle;
  }
  const width = quantiles[high]! - quantiles[low]!;
  return (low + (width > 0 ? (price - quantiles[low]!) / width : 0)) / (quantiles.length - 1);
}
