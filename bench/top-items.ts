/**
 * The `depth` items with the highest scores, best first. Equal scores: the more popular item, then the lower index. Items without
 * evidence (score 0) and excluded ones are left out, so that the list can be shorter.
 */
export function topItems(scores: Float32Array, popularity: Float32Array, depth: number, excluded: ReadonlySet<number>): number[] {
  const isBetter = (item: number, other: number): boolean =>
    scores[item]! > scores[other]! || (scores[item] === scores[other] && popularity[item]! > popularity[other]!);
  const best: number[] = [];
  for (let item = 0; item < scores.length; item++) {
    if (!(scores[item]! > 0) || (best.length === depth && !isBetter(item, best[depth - 1]!)) || excluded.has(item)) continue;
    let place = best.length;
    while (place > 0 && isBetter(item, best[place - 1]!)) place--;
    best.splice(place, 0, item);
    if (best.length > depth) best.pop();
  }
  return best;
}
