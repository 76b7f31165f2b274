import { indexOccurrences } from './baskets.ts';
import type { Baskets } from './baskets.ts';
import type { SessionItem, SimpleRanker } from './simple-ranker.ts';

/** Sessions, oldest first: items alone, without shoppers and times. */
export type PastSessions = Pick<Baskets, 'items' | 'offsets'>;

/** Past sessions as VMIS-kNN searches them; a session's number is its recency, since baskets are in time order. */
export interface SessionIndex {
  /** Items of all sessions, each once per session. */
  readonly items: Int32Array;
  /** [sessions + 1]: session s is items[offsets[s]] .. items[offsets[s + 1]]. */
  readonly offsets: Int32Array;
  /** Sessions with each item, most recent first, at most `sampleSize`. */
  readonly recent: Int32Array;
  /** [items + 1]: the sessions with item i are recent[recentOffsets[i]] .. recent[recentOffsets[i + 1]]. */
  readonly recentOffsets: Int32Array;
  /** log(sessions / sessions with the item), [items]; 0 for an item that no session has. */
  readonly inverseFrequency: Float32Array;
  readonly sampleSize: number;
}

/** Indexes sessions by item; of each item the `sampleSize` (m, default 2,500) most recent ones (Kersbergen et al. 2022, section 3). */
export function indexSessions(sessions: PastSessions, itemCount: number, { sampleSize = 2_500 } = {}): SessionIndex {
  const { items, offsets } = withoutRepeats(sessions);
  const sessionCount = offsets.length - 1;
  const found = indexOccurrences({ items, offsets }, itemCount);
  const recentOffsets = new Int32Array(itemCount + 1);
  const inverseFrequency = new Float32Array(itemCount);
  for (let item = 0; item < itemCount; item++) {
    const count = found.offsets[item + 1]! - found.offsets[item]!;
    recentOffsets[item + 1] = recentOffsets[item]! + Math.min(count, sampleSize);
    if (count > 0) inverseFrequency[item] = Math.log(sessionCount / count);
  }
  const recent = new Int32Array(recentOffsets[itemCount]!);
  for (let item = 0; item < itemCount; item++) {
    for (let k = recentOffsets[item]!, position = found.offsets[item + 1]! - 1; k < recentOffsets[item + 1]!; k++, position--) {
      recent[k] = found.basketOf[found.positions[position]!]!;
    }
  }
  return { items, offsets, recent, recentOffsets, inverseFrequency, sampleSize };
}

export interface VmisKnnOptions {
  /** Most similar sessions that vote (k, default 100). */
  readonly neighbours?: number;
  /** Votes for item i count 1 + `idfWeight` · log(sessions / sessions with i); default 10. */
  readonly idfWeight?: number;
}

/** Of a published session; a wholesale order relates everything with everything. */
const MOST_ITEMS = 60;

/** Neighbours whose newest shared item is further back do not vote. */
const MATCH_STEPS = 10;

/**
 * Vector-multiplication session kNN (Ludewig & Jannach 2018, V-SKNN, section 3.3) in the indexed form of Kersbergen et al. 2022
 * ("Serenade", VMIS-kNN, section 3): among the m most recent sessions that share an item, the k with the largest
 * Σ position / length over the shared items vote with (1 - steps / 10) · similarity · idf, `steps` being how far back the newest
 * shared item is, from 1. Equally similar sessions: the more recent one. A repeated item counts at its newest position.
 */
export function createVmisKnn(index: SessionIndex, { neighbours = 100, idfWeight = 10 }: VmisKnnOptions = {}): SimpleRanker {
  const { items, offsets, recent, recentOffsets, inverseFrequency, sampleSize } = index;
  const itemCount = recentOffsets.length - 1;
  const sessionCount = offsets.length - 1;
  const votes = inverseFrequency.map((idf) => 1 + idfWeight * idf);
  // Dense and cleared after each use: a map of the touched sessions takes several times as long.
  const similarity = new Float64Array(sessionCount);
  const newestMatch = new Int32Array(sessionCount);

  /** Adds up the similarity of every session that shares an item; returns those sessions. */
  function touch(session: readonly SessionItem[]): Int32Array {
    const touched: number[] = [];
    const seen = new Set<number>();
    for (let position = session.length; position >= 1; position--) {
      const { item, weight } = session[position - 1]!;
      if (seen.has(item)) continue;
      seen.add(item);
      for (const other of recent.subarray(recentOffsets[item], recentOffsets[item + 1])) {
        if (similarity[other] === 0) {
          touched.push(other);
          newestMatch[other] = session.length - position + 1;
        }
        similarity[other]! += (weight * position) / session.length;
      }
    }
    return Int32Array.from(touched);
  }

  /** The most similar of the most recent touched sessions; going back in time, an equal one never replaces a newer one. */
  function nearestOf(touched: Int32Array): number[] {
    const nearest: number[] = [];
    for (const other of touched.sort().subarray(-sampleSize).reverse()) {
      if (nearest.length === neighbours && similarity[other]! <= similarity[nearest[neighbours - 1]!]!) continue;
      let place = nearest.length;
      while (place > 0 && similarity[nearest[place - 1]!]! < similarity[other]!) place--;
      nearest.splice(place, 0, other);
      if (nearest.length > neighbours) nearest.pop();
    }
    return nearest;
  }

  return {
    name: 'VMIS-kNN',
    score({ session }, out) {
      out.fill(0);
      const touched = touch(session.filter(({ item, weight }) => weight > 0 && item >= 0 && item < itemCount));
      for (const other of nearestOf(touched)) {
        const vote = Math.max(0, 1 - newestMatch[other]! / MATCH_STEPS) * similarity[other]!;
        for (const item of items.subarray(offsets[other], offsets[other + 1])) out[item]! += vote * votes[item]!;
      }
      for (const other of touched) similarity[other] = 0;
    },
  };
}

/** The newest `count` sessions of two items or more, each item once: what a pack may publish. */
export function newestSessions(baskets: PastSessions, count: number): PastSessions {
  const { items, offsets } = withoutRepeats(baskets);
  const chosen: Int32Array[] = [];
  for (let session = offsets.length - 2; session >= 0 && chosen.length < count; session--) {
    const own = items.subarray(offsets[session], Math.min(offsets[session + 1]!, offsets[session]! + MOST_ITEMS));
    if (own.length >= 2) chosen.push(own);
  }
  chosen.reverse();
  const ends = new Int32Array(chosen.length + 1);
  chosen.forEach((own, session) => (ends[session + 1] = ends[session]! + own.length));
  const joined = new Int32Array(ends.at(-1)!);
  chosen.forEach((own, session) => joined.set(own, ends[session]));
  return { items: joined, offsets: ends };
}

function withoutRepeats({ items, offsets }: PastSessions): PastSessions {
  const kept = new Int32Array(items.length);
  const ends = new Int32Array(offsets.length);
  let size = 0;
  for (let session = 0; session + 1 < offsets.length; session++) {
    for (const item of new Set(items.subarray(offsets[session], offsets[session + 1]))) kept[size++] = item;
    ends[session + 1] = size;
  }
  return { items: kept.slice(0, size), offsets: ends };
}
