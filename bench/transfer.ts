import { existsSync } from 'node:fs';
import { estimate, type Sample } from '../src/evaluate/bootstrap.ts';
import type { Bench, BenchTableCell } from './harness.ts';
import { hasPublicData } from './public-data.ts';
import { formatMarkdownTable } from './readme.ts';
import { writeSection } from './tables/format-table.ts';
import { FEW_ROWS, scoresAfterFewRows } from './transfer/few-rows.ts';
import { judgeNewShoppers, KNOWN_SHOPS } from './transfer/new-shoppers.ts';
import { CANDIDATES, judgeLists, loadShop, openScores, serverOrder, type OtherShop, type Score } from './transfer/other-shop.ts';

/** Other shops than the one that our packs were trained on. */
const OTHER_SHOPS = ['amazon_games_2018', 'movielens_1m'] as const;
const PACKS = ['shop-en', 'online-retail'] as const;
const EVENTS = [0, 1, 2, 5, 10] as const;
const USERS = Number(process.env.BENCH_USERS ?? 1_000);

/**
 * Cold start, by how many events are known of the shopper: new shoppers in a shop that the pack knows, and packs on shops that they were not
 * trained on, as they are and after a few thousand rows of the shop. There, 20 candidates have the next item among them; the server's order
 * is the shop's popularity, which a pack gets as positions ("with the server's scores") or does not. Writes bench/TRANSFER.md.
 */
export const transfer: Bench = async () => {
  const isAsked = (name: string): boolean => (process.env.BENCH_DATA ?? name) === name;
  const tables: BenchTableCell[] = [];
  for (const shop of KNOWN_SHOPS.filter(({ name }) => isAsked(name))) tables.push(...(await written(NEW_SHOPPERS, await judgeNewShoppers(shop, EVENTS, USERS))));
  for (const name of OTHER_SHOPS.filter(isAsked)) {
    if (hasPublicData(name)) tables.push(...(await written(OTHER_SHOP, await judgeOtherShop(await loadShop(name, USERS)))));
    else console.log(`Skipped: ${name} is not there.`);
  }
  return { rows: [], tables };
};

const TRANSFER = new URL('TRANSFER.md', import.meta.url);
const PREAMBLE = '# Cold start and transfer\n\nWritten by `npm run bench -- transfer`. NDCG@10 by events known of the shopper; intervals are 95 % bootstrap intervals over shoppers, of paired differences where two rankers are named.';
const NEW_SHOPPERS = 'The next item among all, after the first events of a visit of a shopper of whom nothing else is known; visits that end sooner are not asked.';
const OTHER_SHOP = `The same targets after the newest events of each shopper. “The rows” are ${FEW_ROWS} interactions of shoppers who are not asked; “trained on the rows alone” has no other shop’s pack.`;

/** Puts a shop's figures into bench/TRANSFER.md; nothing where there are none. */
async function written(about: string, cells: readonly BenchTableCell[]): Promise<readonly BenchTableCell[]> {
  if (cells.length === 0) return cells;
  const metrics = [...new Set(cells.map(({ metric }) => metric))];
  const figure = (ranker: string, metric: string): string => {
    const cell = cells.find((one) => one.ranker === ranker && one.metric === metric);
    return cell ? `${cell.value.toFixed(4)} [${cell.low.toFixed(4)}, ${cell.high.toFixed(4)}]` : '-';
  };
  const rows = [...new Set(cells.map(({ ranker }) => ranker))].map((ranker) => [ranker, ...metrics.map((metric) => figure(ranker, metric))]);
  const asked = metrics.map((metric) => cells.find((one) => one.metric === metric)!.n);
  const table = formatMarkdownTable(['ranker', ...metrics], [['*asked*', ...asked.map(String)], ...rows]);
  await writeSection(TRANSFER, PREAMBLE, `## ${cells[0]!.task}\n\n${about}\n\n${table}`);
  return cells;
}

/** In pairs: after a few rows of the shop and before them, and with the other shop's pack and without. */
const COMPARED = [
  ['shop-en, its head trained on the rows', 'shop-en'],
  ['online-retail, fine-tuned on the rows', 'online-retail'],
  ['online-retail, fine-tuned on the rows', 'trained on the rows alone'],
] as const;

const WITH_ORDER = ', with the server’s scores';

async function judgeOtherShop(shop: OtherShop): Promise<BenchTableCell[]> {
  const task = `${shop.name}, ndcg@10 of ${CANDIDATES} candidates, ${FEW_ROWS} rows`;
  const rankers = new Map<string, Score>([['server: popularity', serverOrder]]);
  for (const [name, score] of [...(await openPacks()), ...(await scoresAfterFewRows(shop))]) rankers.set(name, score(false)).set(`${name}${WITH_ORDER}`, score(true));
  const cells: BenchTableCell[] = [];
  for (const events of EVENTS) {
    const metric = `${events} events`;
    const samples = new Map<string, Sample[]>();
    for (const [ranker, score] of rankers) {
      samples.set(ranker, await judgeLists(shop, events, score));
      const figure = estimate(samples.get(ranker)!);
      cells.push({ task, ranker, metric, ...figure });
      console.log(`${shop.name}, ${metric}: ${ranker} ${figure.value.toFixed(4)}`);
    }
    for (const [after, before] of COMPARED.flatMap(([one, other]) => ['', WITH_ORDER].map((order) => [`${one}${order}`, `${other}${order}`] as const))) {
      const [better, worse] = [samples.get(after), samples.get(before)];
      if (better && worse) cells.push({ task, ranker: `${after} - ${before}`, metric, ...estimate(better.map(({ customer, value }, list) => ({ customer, value: value - worse[list]!.value }))) });
    }
  }
  return cells;
}

async function openPacks(): Promise<[string, (isOrdered: boolean) => Score][]> {
  const opened: [string, (isOrdered: boolean) => Score][] = [];
  for (const name of PACKS) {
    if (existsSync(`models/${name}/pack.json`)) opened.push([name, await openScores(`models/${name}`)]);
    else console.log(`Skipped: models/${name} is not there (npm run train:generic).`);
  }
  return opened;
}
