import { BEHAVIOUR_KINDS } from '../behaviour/kinds.ts';
import type { Random } from '../lib/random.ts';
import type { CandidateView } from '../rank/features.ts';
import type { Ranker } from '../rank/ranker.ts';
import type { ShopperEvent } from '../rank/shopper-view.ts';
import type { Neighbours } from '../rank/simple/neighbours.ts';
import type { DemandFigures, HeadQuery } from './head-queries.ts';
import { PURCHASE, type Histories } from './histories.ts';
import type { Shop } from './shop.ts';
import { topItems } from './top-items.ts';

export interface GenericQuerySource {
  readonly shop: Shop;
  readonly histories: Histories;
  /** Unix seconds; sessions from here on are asked about. */
  readonly from: number;
  /** Knows no item: what is learnt must hold in any shop. */
  readonly ranker: Ranker;
  /** Item-kNN of before `from`: what the imitated server knows of baskets. */
  readonly similarities: Neighbours;
  readonly demandAt: (seconds: number) => Promise<DemandFigures>;
}

const QUERIES_PER_SESSION = 3;
const MOST_LINES = 15;
const RELATED = 10; // candidates for what the shopper did, and as many for what sells
const RANDOM = 40;
const EVENTS = 2_000; // per shopper, the newest
const ORDERED_SHARE = 0.5; // of the lists come with the server's scores
const DEMAND_SHARE = 0.5; // of the lists come with sales

/**
 * Lists for a head that is to serve any shop: items have texts, and sales and a server's order only in some lists, so that the head
 * learns to do without each. Unlike `collectHeadQueries` it also asks before the first event of a visit.
 */
export async function collectGenericQueries(source: GenericQuerySource, random: Random): Promise<HeadQuery[]> {
  const { histories } = source;
  const queries: HeadQuery[] = [];
  for (let user = 0; user < histories.users; user++) {
    const end = histories.offsets[user + 1]!;
    const first = Math.max(histories.offsets[user]!, end - EVENTS);
    for (let start = first; start < end; ) {
      let stop = start + 1;
      while (stop < end && histories.session[stop] === histories.session[start]) stop++;
      if (histories.time[start]! >= source.from && stop - start >= 2) queries.push(...(await sessionQueries(source, random, { user, first, start, stop })));
      start = stop;
    }
  }
  return queries;
}

interface Session {
  readonly user: number;
  readonly first: number;
  readonly start: number;
  readonly stop: number;
}

async function sessionQueries(source: GenericQuerySource, random: Random, { user, first, start, stop }: Session): Promise<HeadQuery[]> {
  const { histories } = source;
  const lines = random.shuffle(Array.from({ length: Math.min(MOST_LINES, stop - start) }, (_, line) => line)).slice(0, QUERIES_PER_SESSION);
  const history = eventsOf(source, first, start, null);
  const visit = eventsOf(source, start, stop, 'cart');
  const now = histories.time[start]!;
  const demand = await source.demandAt(now);
  const queries: HeadQuery[] = [];
  for (const line of lines) {
    // Shoppers whom nobody knows are as many as others: a shop without logs has no histories.
    const known = random.next() < 0.5 ? history : [];
    const events = [...known, ...visit.slice(0, line)];
    const had = new Set(histories.item.subarray(start, start + line));
    const target = histories.item[start + line]!;
    if (had.has(target)) continue;
    const later = new Set(histories.item.subarray(start + line, stop));
    queries.push(await listQuery(source, random, { user, events, now, had, target, later, demand }));
  }
  return queries;
}

interface Question {
  readonly user: number;
  readonly events: readonly ShopperEvent[];
  readonly now: number;
  readonly had: ReadonlySet<number>;
  readonly target: number;
  readonly later: ReadonlySet<number>;
  readonly demand: DemandFigures;
}

async function listQuery(source: GenericQuerySource, random: Random, { user, events, now, had, target, later, demand }: Question): Promise<HeadQuery> {
  const { shop, ranker } = source;
  const items = shop.itemIds.length;
  const related = relatedTo(source, [...had]);
  const hard = new Set([target]);
  for (const scores of [related, demand.lastFourWeeks]) for (const item of topItems(scores, RELATED)) if (!had.has(item)) hard.add(item);
  const others = new Set<number>();
  const rest = items - hard.size - had.size;
  while (others.size < Math.min(RANDOM, rest)) {
    const item = random.integer(items);
    if (!hard.has(item) && !had.has(item)) others.add(item);
  }
  const rows = [...hard, ...others];
  const positions = random.next() < ORDERED_SHARE ? serverPositions(rows, related, demand, random) : null;
  const sales = random.next() < DEMAND_SHARE ? demand : null;
  const shopper = await ranker.prepare({ events, state: await ranker.initialState() }, now);
  const features = await ranker.features(shopper, rows.map((item, row) => viewOf(shop, item, sales, positions?.[row] ?? null)));
  const standsFor = Math.log(Math.max(1, rest) / Math.max(1, others.size));
  return {
    shopper: user,
    events: events.length,
    items: Int32Array.from(rows),
    features,
    hidden: new Float32Array(0),
    offsets: Float32Array.from(rows, (_, row) => (row < hard.size ? 0 : standsFor)),
    target: 0,
    later: [...rows.keys()].filter((row) => later.has(rows[row]!)),
    found: true,
    kind: 'catalogue',
  };
}

function viewOf(shop: Shop, item: number, demand: DemandFigures | null, serverPosition: number | null): CandidateView {
  const orNull = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);
  return {
    id: shop.itemIds[item]!,
    index: -1,
    textVector: shop.textVectors.subarray(item * shop.textDimensions, (item + 1) * shop.textDimensions),
    title: shop.titles[item]!,
    pricePosition: null,
    demandForecast: null,
    lastWeek: orNull(demand?.lastWeek[item]),
    lastFourWeeks: orNull(demand?.lastFourWeeks[item]),
    serverPosition,
  };
}

function eventsOf({ shop, histories }: GenericQuerySource, start: number, stop: number, kind: 'cart' | null): ShopperEvent[] {
  return Array.from({ length: stop - start }, (_, i) => {
    const item = histories.item[start + i]!;
    const logged = histories.kind[start + i]!;
    return {
      itemId: shop.itemIds[item]!,
      index: -1,
      kind: kind !== null && logged === PURCHASE ? kind : BEHAVIOUR_KINDS[logged]!,
      time: histories.time[start + i]!,
      pricePosition: null,
      textVector: shop.textVectors.subarray(item * shop.textDimensions, (item + 1) * shop.textDimensions),
      text: shop.titles[item]!,
    };
  });
}

/** Σ similarity to the items of the visit, [items]. */
function relatedTo({ shop, similarities: { offsets, items, weights } }: GenericQuerySource, visit: readonly number[]): Float32Array {
  const scores = new Float32Array(shop.itemIds.length);
  for (const item of visit) for (let k = offsets[item]!; k < offsets[item + 1]!; k++) scores[items[k]!]! += weights[k]!;
  return scores;
}

/** A server that knows what sells, and in every other list what goes together, and errs. */
function serverPositions(rows: readonly number[], related: Float32Array, { lastFourWeeks }: DemandFigures, random: Random): Int32Array {
  const knowsBaskets = random.next() < 0.5 ? 1 : 0;
  const scores = rows.map((item) => knowsBaskets * Math.log1p(100 * related[item]!) + 0.5 * Math.log1p(lastFourWeeks[item] || 0) + 0.5 * random.normal());
  const positions = new Int32Array(rows.length);
  [...rows.keys()].sort((a, b) => scores[b]! - scores[a]!).forEach((row, position) => (positions[row] = position));
  return positions;
}
