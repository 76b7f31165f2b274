/**
 * Turns scores into an order: scored candidates share, best first, the places they had in the server's order, and the
 * others keep theirs. Ties go to the server's order.
 * @param scores y per server position; NaN keeps that candidate where the server put it.
 * @returns the server position of each place, a permutation cut to `limit` (default all).
 */
export function orderByScore(scores: Float32Array, limit = Infinity): Int32Array {
  const scored = new Int32Array(scores.length);
  let count = 0;
  for (let position = 0; position < scores.length; position++) {
    if (!Number.isNaN(scores[position]!)) scored[count++] = position;
  }
  const best = scored.subarray(0, count).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const order = new Int32Array(Math.max(0, Math.min(scores.length, Math.trunc(limit) || 0)));
  let next = 0;
  for (let place = 0; place < order.length; place++) {
    order[place] = Number.isNaN(scores[place]!) ? place : best[next++]!;
  }
  return order;
}
