import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BEHAVIOUR_KINDS } from '../../src/behaviour/kinds.ts';
import { readTable } from '../../src/cli/table.ts';
import type { LogColumns } from '../../src/learn/histories.ts';
import { priceQuantilesOf, type Shop } from '../../src/learn/shop.ts';
import { createRandom } from '../../src/lib/random.ts';
import { PUBLIC_DATA } from '../public-data.ts';
import { textVectors } from '../text-vectors.ts';

export const GAMES = 'amazon_games_2018';

/** A user's items, oldest first: the last is the test's target and the one before it the validation's. */
export type Sequence = readonly number[];

export interface Games {
  readonly itemIds: readonly string[];
  readonly titles: readonly string[];
  /** [items, dimensions] */
  readonly vectors: Float32Array;
  readonly dimensions: number;
  /** The encoder's. */
  readonly revision: string;
  readonly sequences: readonly Sequence[];
  /** The test: of 6,000 users, the target and 19 random others in a seeded order. */
  readonly lists: readonly { readonly user: number; readonly candidates: readonly number[] }[];
}

export const CANDIDATES = 20;
const KIND = BEHAVIOUR_KINDS.indexOf('view'); // as `shelfwise train` reads a log that names no kinds

/** Reads the data; the test's lists are those of LLMRank (Hou et al. 2024): its random file with the target put in. */
export async function loadGames(): Promise<Games> {
  const folder = join(PUBLIC_DATA, GAMES);
  const { columns: items } = await readTable(join(folder, 'items.csv.gz'), { item: 'text', title: 'text' });
  const rowOf = new Map(items.item.map((item, row) => [item, row]));
  const { columns } = await readTable(join(folder, 'interactions.csv.gz'), { user: 'id', item: 'id', pos: 'number' });
  const itemOf = columns.item.values.map((item) => rowOf.get(item)!);
  const rowsOf = columns.user.values.map((): number[] => []);
  columns.user.codes.forEach((user, row) => rowsOf[user]!.push(row));
  const sequences = rowsOf.map((rows) => rows.sort((a, b) => columns.pos[a]! - columns.pos[b]!).map((row) => itemOf[columns.item.codes[row]!]!));
  const userOf = new Map(columns.user.values.map((user, code) => [user, code]));
  const random = createRandom(0);
  const lines = gunzipSync(await readFile(join(folder, 'candidates/random.tsv.gz'))).toString().trim().split('\n');
  const lists = lines.map((line) => {
    const [name = '', listed = ''] = line.split('\t');
    const user = userOf.get(name)!;
    const target = sequences[user]!.at(-1)!;
    const others = listed.split(' ').flatMap((id) => rowOf.get(id) ?? []).filter((item) => item !== target);
    return { user, candidates: random.shuffle([...others.slice(0, CANDIDATES - 1), target]) };
  });
  return { itemIds: items.item, titles: items.title, ...(await textVectors(GAMES, items.title)), sequences, lists };
}

/**
 * The sequences without their last `held` items as a shop's log: one session a user, and positions for times. Its catalogue is what is in the log without
 * the test's targets, so that it is the very shop that `shelfwise train --protocol leave-one-out` makes of the files.
 * @param keep items of the shop's catalogue; others are not in its log
 */
export function gamesShop({ itemIds, titles, vectors, dimensions, sequences }: Games, held: number, keep: (item: number) => boolean = () => true): Shop & { readonly rows: readonly number[] } {
  const met = new Set(sequences.flatMap((sequence) => sequence.slice(0, -1)));
  const rows = itemIds.map((_, item) => item).filter((item) => met.has(item) && keep(item));
  const indexOf = new Int32Array(itemIds.length).fill(-1);
  rows.forEach((item, index) => (indexOf[item] = index));
  const events = sequences.flatMap((sequence, user) => sequence.slice(0, sequence.length - held).flatMap((item, pos) => (indexOf[item]! < 0 ? [] : [{ user, item: indexOf[item]!, pos }])));
  events.sort((a, b) => a.pos - b.pos || a.user - b.user);
  const log: LogColumns = {
    users: sequences.length,
    items: rows.length,
    user: Int32Array.from(events, ({ user }) => user),
    item: Int32Array.from(events, ({ item }) => item),
    kind: new Uint8Array(events.length).fill(KIND),
    time: Float64Array.from(events, ({ pos }) => pos),
    price: new Float32Array(events.length).fill(NaN),
    session: Int32Array.from(events, ({ user }) => user),
  };
  const own = new Float32Array(rows.length * dimensions);
  rows.forEach((item, index) => own.set(vectors.subarray(item * dimensions, (item + 1) * dimensions), index * dimensions));
  const itemPrices = new Float32Array(rows.length).fill(NaN);
  return {
    rows,
    itemIds: rows.map((item) => itemIds[item]!),
    titles: rows.map((item) => titles[item]!),
    itemPrices,
    pricePositions: itemPrices,
    priceQuantiles: priceQuantilesOf(itemPrices),
    textVectors: own,
    textDimensions: dimensions,
    log,
    quantity: new Float32Array(events.length).fill(NaN),
  };
}
