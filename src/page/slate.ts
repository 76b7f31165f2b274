import type { Fallback, RankedItem, Slate } from '../types.ts';
import type { RerankAnswer } from '../worker/protocol.ts';

/** The server's own order, with the reason why it was kept. */
export function toServerSlate<T>(id: string, candidates: readonly T[], limit: number, fallback: Fallback): Slate<T> {
  const items = candidates.slice(0, limit).map((item, position) => ({ item, position, serverPosition: position, score: null }));
  return { id, items, ranker: 'server', fallback, complete: false };
}

/**
 * The engine's answer over the caller's own objects. Whatever the answer holds, the slate is a permutation of the
 * candidates up to `limit`: positions that are unknown or named twice are skipped, those left out follow in the server's order.
 * @param keys per candidate its id, or undefined for one that was not sent: it keeps the server's position.
 */
export function toDeviceSlate<T>(
  candidates: readonly T[],
  keys: readonly (string | undefined)[],
  answer: Pick<RerankAnswer, 'slate' | 'ranked' | 'complete'>,
  limit: number,
): Slate<T> {
  const sent: number[] = [];
  keys.forEach((key, position) => key !== undefined && sent.push(position));
  const { serverPositions, scores } = answer.ranked;
  /** y per server position; absent where the answer does not name it. */
  const ranked = new Map<number, number>();
  serverPositions.forEach((at, place) => {
    const position = sent[at];
    if (position !== undefined && !ranked.has(position)) ranked.set(position, scores[place] ?? NaN);
  });
  const order = [...ranked.keys()];
  if (order.length < sent.length) order.push(...sent.filter((position) => !ranked.has(position)));
  const inOrder = new Set(sent.map((position) => keys[position])).size < sent.length ? keepDuplicatesInOrder(order, keys) : order;
  let next = 0;
  const items: RankedItem<T>[] = [];
  for (let position = 0; position < Math.min(limit, candidates.length); position++) {
    const serverPosition = keys[position] === undefined ? position : inOrder[next++]!;
    const score = ranked.get(serverPosition) ?? NaN;
    items.push({ item: candidates[serverPosition]!, position, serverPosition, score: Number.isNaN(score) ? null : score });
  }
  return { id: answer.slate, items, ranker: 'device', complete: answer.complete };
}

/** Candidates of one id share their places in the new order, the server's first in the first of them. */
function keepDuplicatesInOrder(order: readonly number[], keys: readonly (string | undefined)[]): number[] {
  const waiting = new Map<string | undefined, number[]>();
  for (const position of [...order].sort((a, b) => b - a)) {
    const same = waiting.get(keys[position]);
    if (same === undefined) waiting.set(keys[position], [position]);
    else same.push(position);
  }
  return order.map((position) => waiting.get(keys[position])!.pop()!);
}
