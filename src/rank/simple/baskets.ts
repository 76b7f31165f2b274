/** Baskets (invoices, sessions) in time order, as flat arrays; what the simple rankers are counted from. */
export interface Baskets {
  /** Item indexes, all baskets concatenated, each in the order of its lines. */
  readonly items: Int32Array;
  /** [baskets + 1]: basket b is items[offsets[b]] .. items[offsets[b + 1]]. */
  readonly offsets: Int32Array;
  /** [baskets], Unix seconds, ascending. */
  readonly time: Float64Array;
  /** [baskets], index of the shopper. */
  readonly user: Int32Array;
}

/** Flattens baskets, sorted by time; baskets of equal time keep their order. */
export function createBaskets(baskets: readonly { readonly user: number; readonly time: number; readonly items: readonly number[] }[]): Baskets {
  const sorted = baskets.toSorted((a, b) => a.time - b.time);
  const offsets = new Int32Array(sorted.length + 1);
  sorted.forEach(({ items }, basket) => (offsets[basket + 1] = offsets[basket]! + items.length));
  return {
    items: Int32Array.from(sorted.flatMap(({ items }) => items)),
    offsets,
    time: Float64Array.from(sorted, ({ time }) => time),
    user: Int32Array.from(sorted, ({ user }) => user),
  };
}

/** Where each item occurs: the inverted index of `Baskets.items`. */
export interface Occurrences {
  /** [items + 1] */
  readonly offsets: Int32Array;
  /** Positions in `Baskets.items`, ascending for each item. */
  readonly positions: Int32Array;
  /** Basket of each position in `Baskets.items`. */
  readonly basketOf: Int32Array;
}

/** Inverts the baskets by counting sort, so that pairs can be counted one item's row at a time in little memory. */
export function indexOccurrences({ items, offsets }: Pick<Baskets, 'items' | 'offsets'>, itemCount: number): Occurrences {
  const starts = new Int32Array(itemCount + 1);
  for (const item of items) starts[item + 1]! += 1;
  for (let item = 0; item < itemCount; item++) starts[item + 1]! += starts[item]!;

  const next = starts.slice();
  const positions = new Int32Array(items.length);
  items.forEach((item, position) => {
    positions[next[item]!] = position;
    next[item]! += 1;
  });

  const basketOf = new Int32Array(items.length);
  for (let basket = 0; basket + 1 < offsets.length; basket++) basketOf.fill(basket, offsets[basket], offsets[basket + 1]);
  return { offsets: starts, positions, basketOf };
}

/**
 * What each basket counts for: 1 for the newest, half of that every `halfLifeDays` (default never) before it.
 * @returns [baskets]
 */
export function recencyWeights({ time }: Baskets, { halfLifeDays = Infinity } = {}): Float64Array {
  const newest = time.at(-1) ?? 0;
  return time.map((seconds) => 0.5 ** ((newest - seconds) / (halfLifeDays * SECONDS_PER_DAY)));
}

/** Σ weight of the basket lines with each item: [items]. */
export function countItems({ items, offsets }: Baskets, itemCount: number, basketWeights: Float64Array): Float64Array {
  const counts = new Float64Array(itemCount);
  for (let basket = 0; basket + 1 < offsets.length; basket++) {
    for (let at = offsets[basket]!; at < offsets[basket + 1]!; at++) counts[items[at]!]! += basketWeights[basket]!;
  }
  return counts;
}

/** Distinct items of each user, ascending so that the sums are the same whatever the order of the log. */
export function itemsByUser({ items, offsets, user }: Baskets): Int32Array[] {
  const owned = new Map<number, Set<number>>();
  user.forEach((who, basket) => {
    const known = owned.get(who) ?? new Set<number>();
    for (const item of items.subarray(offsets[basket], offsets[basket + 1])) known.add(item);
    owned.set(who, known);
  });
  return Array.from(owned.values(), (known) => Int32Array.from(known).sort());
}

export const SECONDS_PER_DAY = 86_400;
