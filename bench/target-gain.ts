const BEST = 10;

/** NDCG@10 of a list whose one right answer is at `target`; equal scores share the mean of their places. */
export function targetGain(scores: ArrayLike<number>, target: number): number {
  const own = scores[target]!;
  let place = -0.5; // the target equals itself
  for (let at = 0; at < scores.length; at++) place += scores[at]! > own ? 1 : scores[at] === own ? 0.5 : 0;
  return place < BEST ? 1 / Math.log2(place + 2) : 0;
}
