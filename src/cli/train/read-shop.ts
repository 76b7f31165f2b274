import { BEHAVIOUR_KINDS } from '../../behaviour/kinds.ts';
import { itemText } from '../../encoder/item-text.ts';
import { RecommenderError } from '../../errors.ts';
import type { LogColumns } from '../../learn/histories.ts';
import type { Protocol } from '../../learn/protocol.ts';
import type { Part } from '../../learn/recommender-training.ts';
import { pricePositionsOf, priceQuantilesOf, type Shop } from '../../learn/shop.ts';
import { firstBehindValidation, rowsOfLog, splitLog, TEST, TRAIN, VALIDATION, type TrainingSplit } from '../../learn/split-log.ts';
import { readInteractions, readItems, type CatalogueItems, type Interactions } from '../data.ts';
import { openEncoder } from '../encoder.ts';

export interface ReadShopOptions {
  readonly interactions: string;
  readonly items: string;
  /** The encoder pack's folder; without one the models know items by identity alone. */
  readonly encoder?: string | undefined;
  /** Default `temporal`. */
  readonly protocol?: Protocol | undefined;
  /** ISO date; nothing from this day on is learnt or counted. Default: the end of the log. */
  readonly until?: string | undefined;
  /** Days before `until` that are held back in `temporal`. Default 31. */
  readonly validationDays?: number | undefined;
  readonly without?: readonly Part[] | undefined;
}

/** A shop as training takes it; its shoppers are sessions in the protocol `session`. */
export interface TrainingShop {
  readonly protocol: Protocol;
  /** Its log ends with the validation part; what is for the test is not in it. */
  readonly shop: Shop;
  /** The log without the validation part. */
  readonly learnt: LogColumns;
  /** '' where no encoder was asked. */
  readonly encoderRevision: string;
  /** Unix seconds from which the validation part is, and behind its end; null where the log has positions for times. */
  readonly period: { readonly from: number; readonly until: number } | null;
}

export const DEFAULT_VALIDATION_DAYS = 31;
const SECONDS_PER_DAY = 86_400;

/**
 * Reads log and catalogue, divides the log by the protocol, keeps the items that are learnt, and encodes their titles.
 * @throws RecommenderError `INVALID_DATA` for files that cannot be trained on, `INVALID_OPTIONS` for options that contradict.
 */
export async function readShop(options: ReadShopOptions, say: (line: string) => void): Promise<TrainingShop> {
  const { protocol = 'temporal', validationDays = DEFAULT_VALIDATION_DAYS } = options;
  const log = await readInteractions(options.interactions, { events: BEHAVIOUR_KINDS });
  const timed = log.clock === 'seconds';
  if (!timed && protocol === 'temporal') throw new RecommenderError('INVALID_DATA', `${options.interactions}: training holds back the last days, and positions have none; add "timestamp" in Unix seconds to every line, or choose --protocol leave-one-out or session.`);
  const catalogue = await readItems(options.items);
  const until = options.until === undefined ? (log.time.at(-1) ?? 0) + 1 : Date.parse(options.until) / 1_000;
  if (Number.isNaN(until)) throw new RecommenderError('INVALID_OPTIONS', `--until ${options.until ?? ''} is not a date such as 2011-11-01.`);
  if (options.until !== undefined && protocol !== 'temporal') throw new RecommenderError('INVALID_OPTIONS', `--until belongs to --protocol temporal; ${protocol} holds back by ${protocol === 'session' ? 'sessions' : 'shoppers'}.`);
  const from = until - validationDays * SECONDS_PER_DAY;
  const { session, part } = divide(log, options.interactions, { protocol, from, until });

  const learnt = (row: number): boolean => part[row] !== TEST;
  const { kept, itemOf } = learntItems(log, catalogue, learnt, options);
  const titles = kept.map((at) => catalogue.titles[at]!);
  checkTitles(options, titles);
  const usable = (row: number): boolean => learnt(row) && itemOf[log.item[row]!]! >= 0;
  const rows = new Int32Array(log.item.length).map((_, row) => row).filter(usable);
  if (!rows.some((row) => part[row] === TRAIN)) throw new RecommenderError('INVALID_DATA', protocol === 'temporal' ? `The log starts later than ${validationDays} days before its end; choose fewer --validation-days.` : `${options.interactions}: nothing is left to learn before the validation part; bring a longer log.`);

  const text = await encodeTitles(options, kept.map((at) => catalogue.ids[at]!), titles, say);
  const itemPrices = Float32Array.from(kept, (at) => catalogue.price[at]!);
  const priceQuantiles = priceQuantilesOf(itemPrices);
  const kinds = log.kinds.map((kind) => BEHAVIOUR_KINDS.findIndex((known) => known === kind));
  const pick = <T extends Int32Array | Float32Array | Float64Array | Uint8Array>(make: { from(source: Int32Array, map: (row: number) => number): T }, value: (row: number) => number): T => make.from(rows, value);
  // In `session` nobody is known: each session is a shopper of its own, as the evaluation asks and as a visitor without consent is served.
  const shoppers = protocol === 'session' ? { of: session, count: session.reduce((most, number) => Math.max(most, number + 1), 0) } : { of: log.user, count: log.users.length };
  const shop: Shop = {
    itemIds: kept.map((at) => catalogue.ids[at]!),
    titles,
    itemPrices,
    pricePositions: pricePositionsOf(itemPrices, priceQuantiles),
    priceQuantiles,
    textVectors: text.vectors,
    textDimensions: text.dimensions,
    quantity: pick(Float32Array, (row) => log.quantity?.[row] ?? NaN),
    log: {
      users: shoppers.count,
      items: kept.length,
      user: pick(Int32Array, (row) => shoppers.of[row]!),
      item: pick(Int32Array, (row) => itemOf[log.item[row]!]!),
      kind: pick(Uint8Array, (row) => kinds[log.kind[row]!]!),
      time: pick(Float64Array, (row) => log.time[row]!),
      price: pick(Float32Array, (row) => log.price?.[row] ?? NaN),
      session: pick(Int32Array, (row) => session[row]!),
    },
  };
  const before = rowsOfLog(shop.log, (at) => part[rows[at]!] === TRAIN);
  const held = rows.find((row) => part[row] === VALIDATION);
  return { protocol, shop, learnt: before, encoderRevision: text.revision, period: !timed ? null : protocol === 'temporal' ? { from, until } : { from: log.time[held ?? rows[0]!]!, until: shop.log.time.at(-1)! + 1 } };
}

/** Divides a log; each history's validation part has to be its end. */
function divide(log: Interactions, path: string, { protocol, from, until }: { readonly protocol: Protocol; readonly from: number; readonly until: number }): TrainingSplit {
  const rows = { ...log, users: log.users.length, items: log.items.length };
  const divided = splitLog(rows, protocol, { from, until });
  const late = firstBehindValidation(rows, divided.part);
  if (late < 0) return divided;
  throw new RecommenderError('INVALID_DATA', `${path}: user ${JSON.stringify(log.users[log.user[late]!])} has an event of split "train" behind one of "validation"; the validation part must be the end of a history.`);
}

/** Lines of the catalogue whose items are learnt, and the item number of each of the log's items: -1 where the catalogue has none. */
function learntItems(log: Interactions, catalogue: CatalogueItems, learnt: (row: number) => boolean, { interactions, items, until }: ReadShopOptions): { kept: number[]; itemOf: Int32Array } {
  const seen = new Set<string>();
  log.item.forEach((item, row) => {
    if (learnt(row)) seen.add(log.items[item]!);
  });
  if (seen.size === 0) throw new RecommenderError('INVALID_DATA', `${interactions}: no line is left before --until ${until ?? ''} and outside split "test"; choose a later date.`);
  const kept = [...catalogue.ids.keys()].filter((at) => seen.has(catalogue.ids[at]!));
  if (kept.length === 0) throw new RecommenderError('INVALID_DATA', `${items}: none of the log's ${seen.size} items is in the catalogue; write ids alike in both (the log has ${JSON.stringify(log.items[0])}, the catalogue ${JSON.stringify(catalogue.ids[0])}).`);
  const index = new Map(kept.map((at, item) => [catalogue.ids[at]!, item]));
  return { kept, itemOf: Int32Array.from(log.items, (id) => index.get(id) ?? -1) };
}

/** Titles and an encoder to read them with come together, or neither. */
function checkTitles({ items, encoder, without }: ReadShopOptions, titles: readonly string[]): void {
  if (without?.includes('text') === true) return;
  const hasTitles = titles.some((title) => title !== '');
  if (encoder === undefined && hasTitles) throw new RecommenderError('INVALID_OPTIONS', `${items} has titles: give --encoder PACK to read them, or --without text to learn items by identity alone.`);
  if (encoder !== undefined && !hasTitles) throw new RecommenderError('INVALID_DATA', `${items}: no item has a title for the text encoder to read; fill the column "title", or leave out --encoder to learn items by identity alone.`);
}

/** Vectors of the titles, [items, dimensions]; none where items are known by identity alone. */
async function encodeTitles({ encoder: path }: ReadShopOptions, ids: readonly string[], titles: readonly string[], say: (line: string) => void): Promise<{ vectors: Float32Array; dimensions: number; revision: string }> {
  if (path === undefined) {
    say(`${ids.length} items, by identity alone`);
    return { vectors: new Float32Array(0), dimensions: 0, revision: '' };
  }
  say(`${ids.length} items; encoding titles`);
  const { encoder, pack, device } = await openEncoder(path);
  const vectors = await encoder.encode(ids.map((id, item) => itemText({ id, title: titles[item]! })));
  const { dimensions } = encoder;
  encoder.dispose();
  device.dispose();
  return { vectors, dimensions, revision: pack.manifest.revision };
}
