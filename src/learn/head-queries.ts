import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import type { Random } from '../lib/random.ts';
import type { CandidateView } from '../rank/features.ts';
import type { PreparedShopper, Ranker } from '../rank/ranker.ts';
import type { ShopperEvent } from '../rank/shopper-view.ts';
import { PURCHASE, type Histories } from './histories.ts';

/** A list of candidates of which one came next. */
export interface HeadQuery {
  readonly shopper: number;
  /** How many events the shopper had before the session. */
  readonly events: number;
  /** The candidates, [rows]. */
  readonly items: Int32Array;
  /** [rows, FEATURE_COUNT] */
  readonly features: Float32Array;
  /** h_u, [hidden] */
  readonly hidden: Float32Array;
  /** log of how many items of the catalogue each row stands for, [rows]. */
  readonly offsets: Float32Array;
  /** Row of the item that came next. */
  readonly target: number;
  /** Rows of all items that the rest of the session brings, the next one among them. */
  readonly later: readonly number[];
  /** Whether a ranker put that item near its top; otherwise it is a candidate only because it came next. */
  readonly found: boolean;
}

/** A catalogue's public sales as of a day, [items] each; NaN where there is no series. */
export interface DemandFigures {
  readonly forecast: Float32Array;
  readonly lastWeek: Float32Array;
  readonly lastFourWeeks: Float32Array;
}

export interface HeadQuerySource {
  /** With models and tables that end before `from`. */
  readonly ranker: Ranker;
  readonly histories: Histories;
  /** Unix seconds; sessions from here on are asked about. */
  readonly from: number;
  readonly itemIds: readonly string[];
  /** [items, text] */
  readonly textVectors: Float32Array;
  readonly textDimensions: number;
  /** Position of each item's price, NaN without one, [items]. */
  readonly pricePositions: Float32Array;
  readonly demandAt: (seconds: number) => Promise<DemandFigures>;
}

const LINES = 15; // as in the quality bench
const QUERIES_PER_SESSION = 4;
const HARD_PER_RANKER = 30;
const RANDOM_NEGATIVES = 60;
const ORDERED_SHARE = 0.5; // of queries whose candidates come in an imitated server order
const EVENTS = 2_000; // per shopper, the newest

/**
 * What the head is trained on: within each session of the validation period, after some of its lines, which item is the
 * next line? Candidates are what any ranker puts near the top, and random others that stand for the rest of the
 * catalogue (their soft-max terms are scaled up: sampled soft-max, Jean et al. 2015, section 3).
 */
export async function collectHeadQueries(source: HeadQuerySource, random: Random): Promise<HeadQuery[]> {
  const { histories } = source;
  const queries: HeadQuery[] = [];
  for (let user = 0; user < histories.users; user++) {
    const end = histories.offsets[user + 1]!;
    const first = Math.max(histories.offsets[user]!, end - EVENTS);
    if (end - first < 2 || histories.time[end - 1]! < source.from) continue;
    let state = await source.ranker.initialState();
    const events: ShopperEvent[] = [];
    for (let start = first; start < end; ) {
      const stop = endOfSession(histories, start, end);
      if (histories.time[start]! >= source.from && stop - start >= 2) queries.push(...(await sessionQueries(source, random, user, start, stop, events, state)));
      const bought = shopperEvents(source, start, stop, null);
      state = await source.ranker.advance(state, bought, events.at(-1)?.time ?? null);
      events.push(...bought);
      start = stop;
    }
  }
  return queries;
}

async function sessionQueries(
  source: HeadQuerySource,
  random: Random,
  shopper: number,
  start: number,
  stop: number,
  history: readonly ShopperEvent[],
  stateBefore: Float32Array,
): Promise<HeadQuery[]> {
  const { histories, ranker } = source;
  const lines = Array.from({ length: Math.min(LINES, stop - start - 1) }, (_, i) => i + 1);
  const asked = new Set(random.shuffle(lines).slice(0, QUERIES_PER_SESSION));
  const carted = shopperEvents(source, start, stop, 'cart');
  const demand = await source.demandAt(histories.time[start]!);
  const queries: HeadQuery[] = [];
  let state = stateBefore;
  for (let line = 1; line <= Math.max(...asked); line++) {
    const previous = line >= 2 ? carted[line - 2]! : history.at(-1);
    state = await ranker.advance(state, [carted[line - 1]!], previous?.time ?? null);
    if (!asked.has(line)) continue;
    const prepared = await ranker.prepare({ events: [...history, ...carted.slice(0, line)], state }, histories.time[start]!);
    const inSession = new Set(histories.item.subarray(start, start + line));
    const target = histories.item[start + line]!;
    if (inSession.has(target)) continue;
    const later = new Set(histories.item.subarray(start + line, stop));
    queries.push(await makeQuery(source, random, { shopper, events: history.length }, prepared, { inSession, target, later }, demand));
  }
  return queries;
}

async function makeQuery(
  source: HeadQuerySource,
  random: Random,
  asked: Pick<HeadQuery, 'shopper' | 'events'>,
  prepared: PreparedShopper,
  { inSession, target, later }: { readonly inSession: ReadonlySet<number>; readonly target: number; readonly later: ReadonlySet<number> },
  demand: DemandFigures,
): Promise<HeadQuery> {
  const items = source.itemIds.length;
  const { knn } = prepared.scores;
  const hard = new Set([target]);
  let found = false;
  const counted = Object.values(prepared.scores).filter((scores) => scores !== null);
  for (const scores of [...counted, demand.lastWeek, ...(prepared.next ? [prepared.next.catalogueScores] : [])]) {
    for (const item of topItems(scores, HARD_PER_RANKER)) {
      if (!inSession.has(item)) hard.add(item);
      if (item === target) found = true;
    }
  }
  const others = new Set<number>();
  const rest = items - hard.size - inSession.size;
  while (others.size < Math.min(RANDOM_NEGATIVES, rest)) {
    const item = random.integer(items);
    if (!hard.has(item) && !inSession.has(item)) others.add(item);
  }
  const rows = [...hard, ...others];
  const positions = random.next() < ORDERED_SHARE ? imitateServerOrder(rows, knn, demand.lastWeek, random) : null;
  const features = await source.ranker.features(
    prepared,
    rows.map((item, row) => candidateView(source, item, demand, positions ? positions[row]! : null)),
  );
  const standsFor = Math.log(Math.max(1, rest) / Math.max(1, others.size));
  const offsets = Float32Array.from(rows, (_, row) => (row < hard.size ? 0 : standsFor));
  return { ...asked, items: Int32Array.from(rows), features, hidden: prepared.hidden.slice(), offsets, target: 0, later: [...rows.keys()].filter((row) => later.has(rows[row]!)), found };
}

/** An item of the training catalogue as a candidate. */
function candidateView(source: HeadQuerySource, item: number, demand: DemandFigures, serverPosition: number | null): CandidateView {
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    id: source.itemIds[item]!,
    index: item,
    textVector: source.textVectors.subarray(item * source.textDimensions, (item + 1) * source.textDimensions),
    pricePosition: orNull(source.pricePositions[item]!),
    demandForecast: orNull(demand.forecast[item]!),
    lastWeek: orNull(demand.lastWeek[item]!),
    lastFourWeeks: orNull(demand.lastFourWeeks[item]!),
    serverPosition,
  };
}

/** A server that knows baskets and sales, and errs: what the demo's does. Positions of the rows, [rows]. */
function imitateServerOrder(rows: readonly number[], knn: Float32Array, lastWeek: Float32Array, random: Random): Int32Array {
  const scores = rows.map((item) => Math.log1p(100 * knn[item]!) + 0.3 * Math.log1p(lastWeek[item] || 0) + 0.5 * random.normal());
  const order = [...rows.keys()].sort((a, b) => scores[b]! - scores[a]!);
  const positions = new Int32Array(rows.length);
  order.forEach((row, position) => (positions[row] = position));
  return positions;
}

function endOfSession({ session, time }: Histories, start: number, end: number): number {
  let stop = start + 1;
  while (stop < end && (session[start]! >= 0 ? session[stop] === session[start] : time[stop] === time[start])) stop++;
  return stop;
}

function shopperEvents(source: HeadQuerySource, start: number, stop: number, kind: 'cart' | null): ShopperEvent[] {
  const { histories } = source;
  return Array.from({ length: stop - start }, (_, i) => {
    const item = histories.item[start + i]!;
    const logged = histories.kind[start + i]!;
    const price = source.pricePositions[item]!;
    return {
      itemId: source.itemIds[item]!,
      index: item,
      kind: kind !== null && logged === PURCHASE ? kind : BEHAVIOUR_KINDS[logged]!,
      time: histories.time[start + i]!,
      pricePosition: Number.isNaN(price) ? null : price,
      textVector: source.textVectors.subarray(item * source.textDimensions, (item + 1) * source.textDimensions),
    };
  });
}

/** The `count` best-scored items with a score above the lowest, best first. */
function topItems(scores: Float32Array, count: number): number[] {
  const sorted = Float32Array.from(scores, (score) => (Number.isNaN(score) ? -Infinity : score)).sort();
  const bound = sorted[Math.max(0, sorted.length - count)]!;
  const lowest = sorted[0]!;
  const best: number[] = [];
  for (let item = 0; item < scores.length; item++) if (scores[item]! >= bound && scores[item]! > lowest) best.push(item);
  return best.slice(0, count);
}

