/** The shop's own key of an item. Numbers and their decimal strings name the same item. */
export type ItemId = string | number;

/** What the shopper did. */
export type BehaviourKind =
  | 'view'
  | 'click'
  | 'impression'
  | 'search'
  | 'cart'
  | 'remove'
  | 'wishlist'
  | 'purchase'
  | 'rate'
  | 'share'
  | 'dwell';

/** An item as the shop shows it; only `id` is required, and `title` is what the encoder reads. */
export interface Item {
  readonly id: ItemId;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly category?: string;
  readonly brand?: string;
  /** In the shop's own currency. */
  readonly price?: number;
}

/** A public series of an item (not of a shopper), as the shop's server knew it at `asOf`. */
export interface DemandSeries {
  readonly measure: 'sales';
  /** Unix seconds; the last step ends here, so that nothing later can be in `values`. */
  readonly asOf: number;
  /** Length of one step; the demand LSTM is trained on weeks. */
  readonly stepDays: 7;
  /** Units sold per step, oldest first; `null` where the item was not on sale or the value is not known. */
  readonly values: readonly (number | null)[];
}

/** An item vector that the shop computed beforehand with the same encoder revision. */
export interface QuantisedVector {
  readonly encoderRevision: string;
  readonly scale: number;
  /** [dimensions], value = int8 · scale. */
  readonly values: Int8Array;
}

/** What the shop's server returns for a slot, in the server's order. */
export interface Candidate extends Item {
  /** The server's own relevance; higher is better. */
  readonly score?: number;
  readonly vector?: QuantisedVector;
  readonly demand?: DemandSeries;
}

/**
 * What a page says of the shopper's wishes, for one slate: the less is known of the shopper, the more it counts. It is not logged, and its texts
 * are read by the same encoder as titles.
 */
export interface PageContext {
  /** What was typed, here or where the shopper comes from. */
  readonly query?: string;
  /** What the page is about, in words (`Garden & Outdoors`); not its address, nor its kind (`home`). */
  readonly page?: string;
  /** The category that the shopper comes from, in words. */
  readonly referrerCategory?: string;
  /** Unix milliseconds that the slate is for. Default: now. */
  readonly time?: number;
}

/** One behaviour, as the page reports it. `time` (Unix milliseconds) defaults to the injected clock. */
export interface BehaviourEvent {
  readonly type: BehaviourKind;
  readonly item?: Item;
  /** The slate that an impression or click belongs to. */
  readonly slate?: string;
  /** What was typed, for `search`. */
  readonly query?: string;
  /** Rating in stars for `rate`, seconds for `dwell`, units for `cart` and `purchase`. */
  readonly value?: number;
  readonly time?: number;
}

/** `denied`: nothing is tracked, ranked or stored. `session`: memory only. `granted`: stored in IndexedDB. */
export type Consent = 'denied' | 'session' | 'granted';

export type DeviceName = 'webgpu' | 'wasm' | 'reference' | 'tfjs';

/** `auto` starts with WebAssembly (plain TypeScript without it) and gives over to WebGPU unless that loses a race by more than 10 %. */
export type DeviceChoice = 'auto' | Exclude<DeviceName, 'tfjs'>;

/** One row of a slate: the caller's own object and where it went. */
export interface RankedItem<T> {
  readonly item: T;
  /** 0-based position in the new order. */
  readonly position: number;
  /** 0-based position in the server's order. */
  readonly serverPosition: number;
  /** y(u,i,t) of the joint head; null where the server's position was kept. */
  readonly score: number | null;
}

export interface Fallback {
  readonly code: string;
  readonly message: string;
}

/** The answer of `rerank()`: always a permutation of what came in, up to `limit`. */
export interface Slate<T> {
  readonly id: string;
  readonly items: readonly RankedItem<T>[];
  readonly ranker: 'device' | 'server';
  /** Why the server's order was kept; only with `ranker: 'server'`. */
  readonly fallback?: Fallback;
  /** False while some candidates still wait for their vectors and kept their server positions. */
  readonly complete: boolean;
}

/** p(next behaviour) of one candidate. */
export interface NextBehaviour {
  readonly id: ItemId;
  /** The most probable kind. */
  readonly kind: BehaviourKind;
  /** p(item), the sum of `kinds`; sums to 1 over the candidates. */
  readonly probability: number;
  /** p(item, kind) of each kind of behaviour that has an item. */
  readonly kinds: Readonly<Partial<Record<BehaviourKind, number>>>;
  /** Median days until this shopper's next purchase in a later visit, if there is one; the same for every candidate; null where the pack does not say. */
  readonly daysToPurchase: number | null;
}

/**
 * Per step, in the series' own unit: the expected value (of which a total over products or steps is made), the median (half of
 * all outcomes lie below; of a product that seldom sells it is 0), and the bounds of the 80 % interval.
 */
export interface Forecast {
  readonly mean: readonly number[];
  readonly median: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** What `track()` resolves with. */
export type TrackResult = 'stored' | 'memory' | 'dropped';
