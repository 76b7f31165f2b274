import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import type { Random } from '../lib/random.ts';
import type { CandidateView } from '../rank/features.ts';
import type { PreparedShopper, Ranker } from '../rank/ranker.ts';
import type { ShopperEvent } from '../rank/shopper-view.ts';
import { PURCHASE, type Histories } from './histories.ts';
import { QUESTIONS, type Protocol } from './protocol.ts';
import { topItems } from './top-items.ts';

/**
 * What a list is of: the `catalogue`, by what the rankers put near the top; a `shelf` that a server would offer, of which all that the session still
 * brings is right; or `newcomers`, the catalogue with some candidates shown as a shop shows what it has never sold. The last two are learnt from and
 * measure nobody.
 */
export type HeadQueryKind = 'catalogue' | 'shelf' | 'newcomers';

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
  readonly kind: HeadQueryKind;
}

/** A catalogue's public sales as of a day, [items] each; NaN where there is no series. */
export interface DemandFigures {
  readonly forecast: Float32Array;
  readonly lastWeek: Float32Array;
  readonly lastFourWeeks: Float32Array;
}

export interface HeadQuerySource {
  readonly protocol: Protocol;
  /** With models and tables of the training part alone. */
  readonly ranker: Ranker;
  /** Each with its validation part. */
  readonly histories: Histories;
  /** First event of each user that is asked about, the user's end where there is none, [users]. */
  readonly heldFrom: Int32Array;
  readonly itemIds: readonly string[];
  readonly titles: readonly string[];
  /** [items, text] */
  readonly textVectors: Float32Array;
  readonly textDimensions: number;
  /** Position of each item's price, NaN without one, [items]. */
  readonly pricePositions: Float32Array;
  readonly demandAt: (seconds: number) => Promise<DemandFigures>;
  readonly onProgress?: (share: number) => void;
}

/** From here on the head is asked to re-order what other rankers find deep in their lists, not all items. */
const LARGE_CATALOGUE = 5_000;
/** A list is 14 kB, and the head has a few thousand parameters; of a large catalogue fewer and longer ones. */
const MOST_QUERIES = { small: 20_000, large: 8_000 };
const QUERIES_PER_SESSION = 4;
const HARD_PER_RANKER = { small: 30, large: 100 }; // on diginetica recall@20 .5076 with 30, .5534 with 100
const RANDOM_NEGATIVES = 60;
const ORDERED_SHARE = 0.5; // of queries whose candidates come in an imitated server order
const NEWCOMERS_SHARE = 0.25; // of queries that are asked once more with newcomers among the candidates
const NEWCOMERS = 0.3; // of those candidates
const SHELF = 100; // candidates, as in the quality bench
const SHELVES_PER_SESSION = 3; // one that counted three times ranked October's own shelves better than once, and the next line a little worse
const EVENTS = 2_000; // per shopper, the newest

/**
 * What the head is trained on: what the protocol asks of the validation part, of shoppers in random order until there are enough lists,
 * and a server's shelves in each session of a shop (`temporal`). Where texts are known some of it is asked once more with newcomers, of which no ranker
 * has counted anything: a head that has never met a missing count scores new items at random.
 * Candidates are what any ranker puts near the top, and random others that stand for the rest of the catalogue (their soft-max
 * terms are scaled up: sampled soft-max, Jean et al. 2015, section 3).
 */
export async function collectHeadQueries(source: HeadQuerySource, random: Random): Promise<HeadQuery[]> {
  const { histories, heldFrom, onProgress } = source;
  const mostQueries = MOST_QUERIES[catalogueOf(source)];
  const asked = Int32Array.from({ length: histories.users }, (_, user) => user).filter((user) => heldFrom[user]! < histories.offsets[user + 1]!);
  const queries: HeadQuery[] = [];
  for (const [at, user] of random.shuffle(asked).entries()) {
    if (queries.length >= mostQueries) break;
    queries.push(...(await (source.protocol === 'leave-one-out' ? lastItemQuery : userQueries)(source, random, user)));
    if (at % PROGRESS_EVERY === 0) onProgress?.(Math.max(at / asked.length, queries.length / mostQueries));
  }
  return queries;
}

function catalogueOf({ itemIds }: HeadQuerySource): 'small' | 'large' {
  return itemIds.length > LARGE_CATALOGUE ? 'large' : 'small';
}

const PROGRESS_EVERY = 64; // shoppers

/** Queries from every held-out session of one user, whose earlier sessions are the history. */
async function userQueries(source: HeadQuerySource, random: Random, user: number): Promise<HeadQuery[]> {
  const { histories, heldFrom, ranker } = source;
  const end = histories.offsets[user + 1]!;
  const first = Math.max(histories.offsets[user]!, end - EVENTS);
  const queries: HeadQuery[] = [];
  let state = await ranker.initialState();
  const events: ShopperEvent[] = [];
  for (let start = first; start < end; ) {
    const stop = endOfSession(histories, start, end);
    if (start >= heldFrom[user]! && stop - start >= 2) queries.push(...(await sessionQueries(source, random, user, start, stop, events, state)));
    if (stop === end) break;
    const had = shopperEvents(source, start, stop, null);
    state = await ranker.advance(state, had, events.at(-1)?.time ?? null);
    events.push(...had);
    start = stop;
  }
  return queries;
}

/** The held-out item of a user, after the whole history. */
async function lastItemQuery(source: HeadQuerySource, random: Random, user: number): Promise<HeadQuery[]> {
  const { histories, heldFrom, ranker } = source;
  const held = heldFrom[user]!;
  const first = Math.max(histories.offsets[user]!, held - EVENTS);
  if (held <= first) return [];
  const events = shopperEvents(source, first, held, null);
  const now = histories.time[held - 1]!;
  const prepared = await ranker.prepare({ events, state: await ranker.advance(await ranker.initialState(), events, null) }, now);
  const had = new Set(histories.item.subarray(histories.offsets[user], held));
  const target = histories.item[held]!;
  if (had.has(target)) return [];
  return makeQuery(source, random, { shopper: user, events: events.length }, prepared, { leftOut: had, target, later: new Set([target]) }, await source.demandAt(now));
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
  const { histories, ranker, protocol } = source;
  const { leavesOut, mostLines } = QUESTIONS[protocol];
  const lines = Array.from({ length: Math.min(mostLines, stop - start - 1) }, (_, i) => i + 1);
  const asked = new Set(random.shuffle(lines).slice(0, QUERIES_PER_SESSION));
  const shelvesAfter = new Set([...asked].sort((a, b) => a - b).slice(0, SHELVES_PER_SESSION)); // they help most early in a session
  const seen = shopperEvents(source, start, stop, protocol === 'temporal' ? 'cart' : null);
  const demand = await source.demandAt(histories.time[start]!);
  const queries: HeadQuery[] = [];
  let state = stateBefore;
  for (let line = 1; line <= Math.max(...asked); line++) {
    const previous = line >= 2 ? seen[line - 2]! : history.at(-1);
    state = await ranker.advance(state, [seen[line - 1]!], previous?.time ?? null);
    if (!asked.has(line)) continue;
    const now = seen[line - 1]!.time;
    const prepared = await ranker.prepare({ events: [...history, ...seen.slice(0, line)], state }, now);
    const leftOut = new Set(leavesOut ? histories.item.subarray(start, start + line) : []);
    const target = histories.item[start + line]!;
    if (leftOut.has(target)) continue;
    const later = new Set(histories.item.subarray(start + line, stop));
    queries.push(...(await makeQuery(source, random, { shopper, events: history.length }, prepared, { leftOut, target, later }, demand)));
    if (protocol !== 'temporal' || !shelvesAfter.has(line)) continue;
    const shelf = await makeShelf(source, random, { shopper, events: history.length }, prepared, { leftOut, later }, demand);
    if (shelf) queries.push(shelf);
  }
  return queries;
}

/** The best of what an imitated server offers, in its order; null where the session brings none of them. */
async function makeShelf(
  source: HeadQuerySource,
  random: Random,
  asked: Pick<HeadQuery, 'shopper' | 'events'>,
  prepared: PreparedShopper,
  { leftOut, later }: { readonly leftOut: ReadonlySet<number>; readonly later: ReadonlySet<number> },
  demand: DemandFigures,
): Promise<HeadQuery | null> {
  const { knn } = prepared.scores;
  const offered = knn.map((score, item) => (leftOut.has(item) ? NaN : serverScore(score, demand.lastWeek[item]!, random)));
  const items = Int32Array.from(topItems(offered, SHELF));
  const right = [...items.keys()].filter((row) => later.has(items[row]!));
  if (right.length === 0) return null;
  const views = Array.from(items, (item, position) => candidateView(source, item, demand, position));
  return { ...asked, items, features: await source.ranker.features(prepared, views), hidden: prepared.hidden.slice(), offsets: new Float32Array(items.length), target: right[0]!, later: right, found: true, kind: 'shelf' };
}

async function makeQuery(
  source: HeadQuerySource,
  random: Random,
  asked: Pick<HeadQuery, 'shopper' | 'events'>,
  prepared: PreparedShopper,
  { leftOut, target, later }: { readonly leftOut: ReadonlySet<number>; readonly target: number; readonly later: ReadonlySet<number> },
  demand: DemandFigures,
): Promise<HeadQuery[]> {
  const items = source.itemIds.length;
  const { knn } = prepared.scores;
  const hard = new Set([target]);
  let found = false;
  const counted = Object.values(prepared.scores).filter((scores) => scores !== null);
  for (const scores of [...counted, demand.lastWeek, ...(prepared.next ? [prepared.next.catalogueScores] : [])]) {
    for (const item of topItems(scores, HARD_PER_RANKER[catalogueOf(source)])) {
      if (!leftOut.has(item)) hard.add(item);
      if (item === target) found = true;
    }
  }
  const others = new Set<number>();
  const rest = items - hard.size - leftOut.size;
  while (others.size < Math.min(RANDOM_NEGATIVES, rest)) {
    const item = random.integer(items);
    if (!hard.has(item) && !leftOut.has(item)) others.add(item);
  }
  const rows = [...hard, ...others];
  const positions = random.next() < ORDERED_SHARE ? imitateServerOrder(rows, knn, demand.lastWeek, random) : null;
  const viewOf = (item: number, row: number): CandidateView => candidateView(source, item, demand, positions ? positions[row]! : null);
  const featuresOf = (views: CandidateView[]): Promise<Float32Array> => source.ranker.features(prepared, views);
  const standsFor = Math.log(Math.max(1, rest) / Math.max(1, others.size));
  const offsets = Float32Array.from(rows, (_, row) => (row < hard.size ? 0 : standsFor));
  const query: HeadQuery = {
    ...asked,
    items: Int32Array.from(rows),
    features: await featuresOf(rows.map(viewOf)),
    hidden: prepared.hidden.slice(),
    offsets,
    target: 0,
    later: [...rows.keys()].filter((row) => later.has(rows[row]!)),
    found,
    kind: 'catalogue',
  };
  if (source.textDimensions === 0 || random.next() >= NEWCOMERS_SHARE) return [query];
  const views = rows.map((item, row) => (random.next() < NEWCOMERS ? asNewcomer(viewOf(item, row)) : viewOf(item, row)));
  return [query, { ...query, features: await featuresOf(views), kind: 'newcomers' }];
}

/** An item of the training catalogue as a candidate. */
function candidateView(source: HeadQuerySource, item: number, demand: DemandFigures, serverPosition: number | null): CandidateView {
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    id: source.itemIds[item]!,
    title: source.titles[item]!,
    index: item,
    textVector: source.textVectors.subarray(item * source.textDimensions, (item + 1) * source.textDimensions),
    pricePosition: orNull(source.pricePositions[item]!),
    demandForecast: orNull(demand.forecast[item]!),
    lastWeek: orNull(demand.lastWeek[item]!),
    lastFourWeeks: orNull(demand.lastFourWeeks[item]!),
    serverPosition,
  };
}

/** The candidate with a name that nobody knows and nothing sold; text, price and the server's position stay. */
function asNewcomer(view: CandidateView): CandidateView {
  return { ...view, id: `new ${view.id}`, index: -1, demandForecast: null, lastWeek: null, lastFourWeeks: null };
}

/** A server that knows baskets and sales, and errs: what the demo's does. */
function serverScore(knn: number, lastWeek: number, random: Random): number {
  return Math.log1p(100 * knn) + 0.3 * Math.log1p(lastWeek || 0) + 0.5 * random.normal();
}

/** Positions of the rows in that server's order, [rows]. */
function imitateServerOrder(rows: readonly number[], knn: Float32Array, lastWeek: Float32Array, random: Random): Int32Array {
  const scores = rows.map((item) => serverScore(knn[item]!, lastWeek[item]!, random));
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
      text: source.titles[item]!,
      index: item,
      kind: kind !== null && logged === PURCHASE ? kind : BEHAVIOUR_KINDS[logged]!,
      time: histories.time[start + i]!,
      pricePosition: Number.isNaN(price) ? null : price,
      textVector: source.textDimensions === 0 ? null : source.textVectors.subarray(item * source.textDimensions, (item + 1) * source.textDimensions),
    };
  });
}
