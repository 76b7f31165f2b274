import { indexOccurrences, recencyWeights } from './baskets.ts';
import type { Baskets } from './baskets.ts';
import { countNeighbours, scoreSession } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import type { SimpleRanker } from './simple-ranker.ts';

/** Counts how often each item came right after another in the same basket; a basket counts half every `halfLifeDays` (default 180). */
export function countTransitions(baskets: Baskets, itemCount: number, { halfLifeDays = 180, limit = Infinity } = {}): Neighbours {
  const { items, offsets: starts } = baskets;
  const { offsets, positions, basketOf } = indexOccurrences(baskets, itemCount);
  const basketWeights = recencyWeights(baskets, { halfLifeDays });
  return countNeighbours(
    itemCount,
    (item, add) => {
      for (const position of positions.subarray(offsets[item], offsets[item + 1])) {
        const basket = basketOf[position]!;
        if (position + 1 < starts[basket + 1]!) add(items[position + 1]!, basketWeights[basket]!);
      }
    },
    { limit },
  );
}

/** First-order Markov chain: what most often came right after the last item. */
export function createMarkov(transitions: Neighbours): SimpleRanker {
  return {
    name: 'markov',
    score: ({ session }, out) => scoreSession(out, transitions, session, { last: 1 }),
  };
}
