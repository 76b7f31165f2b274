import { RecommenderError } from '../../errors.ts';
import type { Random } from '../../lib/random.ts';
import { createBaskets, indexOccurrences, type Baskets } from '../../rank/simple/baskets.ts';

/** Lines of a visit between a pair, at most: what is taken one after the other belongs together, what a wholesale order has somewhere does not. */
const WINDOW = 5;
/** Counts to this power (word2vec's way between all alike and as often as sold: Mikolov et al. 2013, sections 2.2 and 2.3). */
const SMOOTHING = 0.5;

export interface PairSampler {
  /** Two texts of one visit, [anchor, partner]. */
  draw(random: Random): readonly [number, number];
  /** Texts that have a partner. */
  readonly texts: number;
}

/**
 * Draws pairs of texts that shoppers took in one visit, so that popular items do not dominate: the anchor by the root of its count, one of
 * its visits, and of the lines around it there (a window, as in prod2vec, Grbovic et al. 2015) one by the inverse root of its count. `textOf` [items] says which text is an item's: items of one
 * title share it, and -1 has none.
 * @throws RecommenderError `INVALID_DATA` when no visit has two items with text.
 */
export function createPairSampler(visits: Baskets, textOf: Int32Array, texts: number): PairSampler {
  const kept: { user: number; time: number; items: number[] }[] = [];
  for (let visit = 0; visit + 1 < visits.offsets.length; visit++) {
    const items = [...new Set(Array.from(visits.items.subarray(visits.offsets[visit], visits.offsets[visit + 1]), (item) => textOf[item]!))].filter((text) => text >= 0);
    if (items.length >= 2) kept.push({ user: visits.user[visit]!, time: visits.time[visit]!, items });
  }
  if (kept.length === 0) throw new RecommenderError('INVALID_DATA', 'No visit has two items with titles; an encoder is tuned on what is taken together.');
  const baskets = createBaskets(kept);
  const { offsets, positions, basketOf } = indexOccurrences(baskets, texts);
  const count = (text: number): number => offsets[text + 1]! - offsets[text]!;
  const cumulative = new Float64Array(texts);
  let total = 0;
  for (let text = 0; text < texts; text++) cumulative[text] = total += count(text) ** SMOOTHING;
  return {
    texts: cumulative.filter((value, text) => value > (cumulative[text - 1] ?? 0)).length,
    draw(random) {
      const anchor = firstAbove(cumulative, random.next() * total);
      const place = positions[offsets[anchor]! + random.integer(count(anchor))]!;
      const basket = basketOf[place]!;
      const [first, end] = [Math.max(baskets.offsets[basket]!, place - WINDOW), Math.min(baskets.offsets[basket + 1]!, place + WINDOW + 1)];
      const others = baskets.items.subarray(first, end).filter((text) => text !== anchor);
      let sum = 0;
      const shares = Float64Array.from(others, (text) => (sum += count(text) ** -SMOOTHING));
      return [anchor, others[firstAbove(shares, random.next() * sum)]!];
    },
  };
}

/** The first place whose cumulative value is above `value`. */
function firstAbove(cumulative: Float64Array, value: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
