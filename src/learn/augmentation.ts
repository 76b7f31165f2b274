import { SESSION_GAP_SECONDS } from '../behaviour/sequence.ts';
import type { Random } from '../lib/random.ts';
import { CART, PURCHASE, VIEW, type Histories } from './histories.ts';

/** One shopper's events as the interest LSTM reads them. */
export interface EventStream {
  readonly item: Int32Array;
  readonly kind: Uint8Array;
  /** Seconds since the event before; NaN for the first. */
  readonly gap: Float32Array;
  readonly price: Float32Array;
  /** How much predicting this event counts; 0 for noise. */
  readonly weight: Float32Array;
  /** The caller's own number of each event, -1 for none; null where nobody asks. */
  readonly label: Int32Array | null;
  /** Days from each event to the shopper's next order, NaN for none; left out where nobody asks. */
  readonly orderDays?: Float32Array;
}

/**
 * How browsing is imitated where a log has purchases only. Lines of an invoice become purchases, carts or views; between
 * them come views and carts of items that were *not* bought, so that a view is right about half the time, a cart nine
 * times of ten and a purchase always: that is how the model learns to trust a purchase more than a cart, and a cart more
 * than a view. Gaps inside an invoice are drawn log-normal, or left 0 as in the log.
 */
export interface AugmentationOptions {
  readonly purchaseShare: number;
  readonly cartShare: number;
  /** Views of a random other item, per line. */
  readonly noiseViews: number;
  /** Carts of a random other item, per line. */
  readonly noiseCarts: number;
  /** Share of invoices whose lines keep a gap of 0. */
  readonly zeroGapShare: number;
}

export const DEFAULT_AUGMENTATION: AugmentationOptions = {
  purchaseShare: 0.4,
  cartShare: 0.4,
  noiseViews: 0.15,
  noiseCarts: 0.04,
  zeroGapShare: 0.5,
};

const MEDIAN_GAP_SECONDS = 25; // between two clicks of a visit; σ = 1 gives 9 to 68 s in the middle two thirds

/** A shopper's events (`first` to `end` of the histories) as the log has them; `kindOf` may read an event as another kind. */
export function plainStream(
  histories: Histories,
  first: number,
  end: number,
  { kindOf, labelOf, orderDays }: { kindOf?: (event: number) => number; labelOf?: (event: number) => number; orderDays?: Float32Array | null } = {},
): EventStream {
  const length = end - first;
  const { time, kind } = histories;
  return {
    item: histories.item.subarray(first, end),
    kind: kindOf ? Uint8Array.from({ length }, (_, i) => kindOf(first + i)) : kind.subarray(first, end),
    gap: Float32Array.from({ length }, (_, i) => (i === 0 ? NaN : time[first + i]! - time[first + i - 1]!)),
    price: histories.price.subarray(first, end),
    weight: new Float32Array(length).fill(1),
    label: labelOf ? Int32Array.from({ length }, (_, i) => labelOf(first + i)) : null,
    ...(orderDays && { orderDays: orderDays.subarray(first, end) }),
  };
}

/** Imitates browsing around a shopper's purchases (events `first` to `end` of the histories). */
export function augmentPurchases(
  histories: Histories,
  first: number,
  end: number,
  random: Random,
  drawItem: (random: Random) => { item: number; price: number },
  options: AugmentationOptions = DEFAULT_AUGMENTATION,
  orderDays: Float32Array | null = null,
): EventStream {
  const item: number[] = [];
  const kind: number[] = [];
  const gap: number[] = [];
  const price: number[] = [];
  const weight: number[] = [];
  const source: number[] = []; // the event of the log that each event here belongs to
  let zeroGaps = false;
  const pause = (): number => (zeroGaps ? 0 : MEDIAN_GAP_SECONDS * Math.exp(random.normal()));
  const push = (eventItem: number, eventKind: number, eventGap: number, eventPrice: number, eventWeight: number): void => {
    item.push(eventItem);
    kind.push(eventKind);
    gap.push(item.length === 1 ? NaN : eventGap);
    price.push(eventPrice);
    weight.push(eventWeight);
    source.push(current);
  };
  let current = first;
  for (let event = first; event < end; event++) {
    current = event;
    const sinceLast = event === first ? 0 : histories.time[event]! - histories.time[event - 1]!;
    const newSession = event === first || sinceLast > SESSION_GAP_SECONDS;
    if (newSession) zeroGaps = random.next() < options.zeroGapShare;
    push(histories.item[event]!, drawKind(random, options), newSession ? sinceLast : pause(), histories.price[event]!, 1);
    if (random.next() < options.noiseViews) {
      const noise = drawItem(random);
      push(noise.item, VIEW, pause(), noise.price, 0);
    }
    if (random.next() < options.noiseCarts) {
      const noise = drawItem(random);
      push(noise.item, CART, pause(), noise.price, 0);
    }
  }
  return {
    item: Int32Array.from(item),
    kind: Uint8Array.from(kind),
    gap: Float32Array.from(gap),
    price: Float32Array.from(price),
    weight: Float32Array.from(weight),
    label: null,
    ...(orderDays && { orderDays: Float32Array.from(source, (event) => orderDays[event]!) }),
  };
}

function drawKind(random: Random, options: AugmentationOptions): number {
  const draw = random.next();
  if (draw < options.purchaseShare) return PURCHASE;
  return draw < options.purchaseShare + options.cartShare ? CART : VIEW;
}
