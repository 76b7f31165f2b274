import { SECONDS_PER_DAY } from './baskets.ts';
import type { SimpleRanker } from './simple-ranker.ts';

/**
 * What the shopper bought, carted and viewed in earlier sessions: Σ weight · 0.5 ^ (age / half-life).
 * `halfLifeDays` is 60 by default. Behaviour at or after `now` is not looked at.
 */
export function createPersonalFrequency(itemCount: number, { halfLifeDays = 60 } = {}): SimpleRanker {
  const halfLifeSeconds = halfLifeDays * SECONDS_PER_DAY;
  return {
    name: 'personal frequency',
    score({ history, now }, out) {
      out.fill(0);
      for (const { item, weight, time } of history) {
        if (time < now && item >= 0 && item < itemCount) out[item]! += weight * 0.5 ** ((now - time) / halfLifeSeconds);
      }
    },
  };
}
