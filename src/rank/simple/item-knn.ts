import { countItems, indexOccurrences, recencyWeights } from './baskets.ts';
import type { Baskets } from './baskets.ts';
import { countNeighbours, scoreSession } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import type { SimpleRanker } from './simple-ranker.ts';

export interface ItemKnnOptions {
  /** Added to the cosine's denominator, in baskets (default 10): pairs seen by chance stay weak. */
  readonly damping?: number;
  /** Baskets with more lines (default 60) are wholesale orders that relate everything with everything; they are skipped. */
  readonly maxLines?: number;
  /** A basket counts half every so many days (default 180). */
  readonly halfLifeDays?: number;
  /** Strongest neighbours kept per item (default all). */
  readonly limit?: number;
}

/**
 * Damped cosine of the baskets that two items share: Σ 1/√distance / (√(n(a) · n(b)) + damping), in both directions
 * (item-to-item collaborative filtering: Sarwar et al. 2001; the distance in lines is ours, because lines near each other in a
 * basket are more alike than lines far apart).
 */
export function countCooccurrence(
  baskets: Baskets,
  itemCount: number,
  { damping = 10, maxLines = 60, halfLifeDays = 180, limit = Infinity }: ItemKnnOptions = {},
): Neighbours {
  const { items, offsets: starts } = baskets;
  const { offsets, positions, basketOf } = indexOccurrences(baskets, itemCount);
  const basketWeights = recencyWeights(baskets, { halfLifeDays });
  const counts = countItems(baskets, itemCount, basketWeights);
  return countNeighbours(
    itemCount,
    (item, add) => {
      for (const position of positions.subarray(offsets[item], offsets[item + 1])) {
        const basket = basketOf[position]!;
        const end = starts[basket + 1]!;
        if (end - starts[basket]! > maxLines) continue;
        for (let other = starts[basket]!; other < end; other++) {
          const neighbour = items[other]!;
          if (neighbour === item) continue;
          const nearness = 1 / Math.sqrt(Math.abs(other - position));
          add(neighbour, (nearness * basketWeights[basket]!) / (Math.sqrt(counts[item]! * counts[neighbour]!) + damping));
        }
      }
    },
    { limit },
  );
}

/** How many session items are looked at. */
const LAST_ITEMS = 10;

/** Items that share baskets with the last 10 session items, the one d steps before the newest weighted 1 / (d + 1)^1.5. */
export function createItemKnn(similarities: Neighbours): SimpleRanker {
  return {
    name: 'item-kNN',
    score: ({ session }, out) => scoreSession(out, similarities, session, { last: LAST_ITEMS, decay: 1.5 }),
  };
}
