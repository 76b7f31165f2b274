/**
 * Makes the shop's data from the UCI Online Retail transactions (Chen, Sain and Guo 2012):
 * `items.csv.gz` (item,title,price,category) and `interactions.csv.gz` (user,item,timestamp,event,qty,price,session).
 * `npx tsx demo/data/prepare.ts`; departments and pictures alone: `npx tsx demo/data/dress.ts`.
 */
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCsv, writeCsv } from './csv.ts';
import { dressProducts } from './dress.ts';
import { isProductCode, isProductTitle, readableTitle } from './titles.ts';

interface Line {
  readonly user: string;
  readonly item: string;
  readonly time: number;
  readonly quantity: number;
  readonly price: number;
  readonly invoice: string;
}

/** A line that its customer cancels in full so soon was a slip of the keyboard (two of them order 155,000 pieces). */
const SLIP_SECONDS = 3600;

const source = process.env.ONLINE_RETAIL ?? fileURLToPath(new URL('../../../shared/data/online_retail/', import.meta.url));
if (existsSync(source)) void prepare(source);
else console.log(`Online Retail is not in ${source}: the committed data stays. Set ONLINE_RETAIL to its folder to prepare it again.`);

async function prepare(folder: string): Promise<void> {
  const titles = productTitles(`${folder}/items.csv.gz`);
  const lines = purchases(`${folder}/interactions.csv.gz`, titles);
  const prices = medianPrices(lines);
  const items = [...titles].filter(([item]) => prices.has(item)).sort(([a], [b]) => (a < b ? -1 : 1));
  const linesFile = fileURLToPath(new URL('interactions.csv.gz', import.meta.url));
  writeCsv(
    linesFile,
    ['user', 'item', 'timestamp', 'event', 'qty', 'price', 'session'],
    lines.map(({ user, item, time, quantity, price, invoice }) => [user, item, time, 'purchase', quantity, price, invoice]),
  );
  console.log(`${linesFile}: ${statSync(linesFile).size} bytes`);
  await dressProducts(items.map(([item, title]) => ({ item, title, price: prices.get(item)! })));
  console.log(`${items.length} products, ${lines.length} purchase lines`);
}

/** Readable titles by folded code: some codes differ only by case. */
function productTitles(path: string): Map<string, string> {
  const titles = new Map<string, string>();
  for (const row of readCsv(path)) {
    const item = row.item!.toUpperCase();
    if (isProductCode(item) && isProductTitle(row.title!) && !titles.has(item)) titles.set(item, readableTitle(row.title!));
  }
  return titles;
}

/** Paid lines of known products in the order of the till, without slips. */
function purchases(path: string, titles: ReadonlyMap<string, string>): Line[] {
  const lines: Line[] = [];
  const slips = new Set<Line>();
  const open = new Map<string, Line[]>();
  for (const row of readCsv(path)) {
    const item = row.item!.toUpperCase();
    const quantity = Number(row.qty);
    const time = Number(row.timestamp);
    const key = `${row.user} ${item} ${Math.abs(quantity)}`;
    if (row.event === 'purchase' && titles.has(item) && Number(row.price) > 0) {
      // Nobody knows who a guest is: every guest's invoice is a shopper of its own.
      const line = { user: row.user || `guest-${row.invoice!}`, item, time, quantity, price: Number(row.price), invoice: row.invoice! };
      lines.push(line);
      open.set(key, [...(open.get(key) ?? []), line]);
    } else if (row.event === 'cancel' && row.user !== '') {
      const line = open.get(key)?.pop();
      if (line !== undefined && time - line.time <= SLIP_SECONDS) slips.add(line);
    }
  }
  return lines.filter((line) => !slips.has(line));
}

function medianPrices(lines: readonly Line[]): Map<string, number> {
  const prices = new Map<string, number[]>();
  for (const { item, price } of lines) {
    const known = prices.get(item);
    if (known) known.push(price);
    else prices.set(item, [price]);
  }
  return new Map([...prices].map(([item, all]) => [item, all.sort((a, b) => a - b)[all.length >> 1]!]));
}
