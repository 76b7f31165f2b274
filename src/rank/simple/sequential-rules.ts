import { countItems, indexOccurrences, recencyWeights } from './baskets.ts';
import type { Baskets } from './baskets.ts';
import { countNeighbours, scoreSession } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import type { SimpleRanker } from './simple-ranker.ts';

/** Pairs further apart than this are not counted, nor session items further back looked at (Ludewig & Jannach 2018, SR). */
const STEPS = 10;

/**
 * Counts rules "a, then b" inside baskets, each with weight 1 / distance, up to 10 steps apart
 * (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms", SR).
 * Ours differs in what October's invoices preferred: a basket counts half every `halfLifeDays` (default 180), and rules are
 * divided by √n(a), between counts (0, a frequent a speaks louder) and probabilities (1, all speak alike).
 */
export function countSequentialRules(baskets: Baskets, itemCount: number, { halfLifeDays = 180, limit = Infinity } = {}): Neighbours {
  const { items, offsets: starts } = baskets;
  const { offsets, positions, basketOf } = indexOccurrences(baskets, itemCount);
  const basketWeights = recencyWeights(baskets, { halfLifeDays });
  const counts = countItems(baskets, itemCount, basketWeights);
  return countNeighbours(
    itemCount,
    (item, add) => {
      const scale = 1 / Math.sqrt(counts[item]!);
      for (const position of positions.subarray(offsets[item], offsets[item + 1])) {
        const basket = basketOf[position]!;
        const end = Math.min(starts[basket + 1]!, position + STEPS + 1);
        for (let next = position + 1; next < end; next++) add(items[next]!, (scale * basketWeights[basket]!) / (next - position));
      }
    },
    { limit },
  );
}

/** Sequential rules of the last 10 session items, the one d steps before the newest weighted 1 / (d + 1)². */
export function createSequentialRules(rules: Neighbours): SimpleRanker {
  return {
    name: 'sequential rules',
    score: ({ session }, out) => scoreSession(out, rules, session, { last: STEPS, decay: 2 }),
  };
}
