/** The `count` best-scored items with a score above the lowest, best first; of equal ones the first. */
export function topItems(scores: Float32Array, count: number): number[] {
  const best: number[] = [];
  let lowest = Infinity;
  let bound = -Infinity; // of the last of `count`
  for (let item = 0; item < scores.length; item++) {
    const score = scores[item]!;
    if (score < lowest) lowest = score;
    if (Number.isNaN(score) || score <= bound) continue;
    let place = best.length;
    while (place > 0 && scores[best[place - 1]!]! < score) place--;
    best.splice(place, 0, item);
    if (best.length > count) best.pop();
    if (best.length === count) bound = scores[best[count - 1]!]!;
  }
  return best.filter((item) => scores[item]! > lowest);
}
