import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readCsv } from '../data/csv.ts';

export interface Product {
  readonly id: string;
  readonly title: string;
  readonly price: number;
  readonly category: string;
  /** Icons: the thing, and what is on it. */
  readonly picture: readonly string[];
}

/** The catalogue, and what was sold: one row per line of a basket, in time order, without who bought it. */
export interface ShopData {
  readonly products: readonly Product[];
  readonly sales: {
    /** [lines] index into `products`. */
    readonly product: Int32Array;
    /** [lines] Unix seconds. */
    readonly time: Float64Array;
    /** [lines] units. */
    readonly quantity: Int32Array;
    /** [lines] number of the basket, from 0 in time order. */
    readonly basket: Int32Array;
  };
}

/** Reads `items.csv.gz`, `pictures.json` and `interactions.csv.gz` of demo/data. */
export function loadShopData(folder: string): ShopData {
  const pictures = JSON.parse(readFileSync(`${folder}/pictures.json`, 'utf8')) as Readonly<Record<string, readonly string[]>>;
  const products = Array.from(readCsv(`${folder}/items.csv.gz`), (row): Product => {
    const id = row.item!;
    return { id, title: row.title!, price: Number(row.price), category: row.category!, picture: pictures[id] ?? ['wrapped-gift'] };
  });
  const productOf = new Map(products.map(({ id }, index) => [id, index]));
  const sales = readSales(gunzipSync(readFileSync(`${folder}/interactions.csv.gz`)).toString('latin1'), productOf);
  return { products, sales };
}

/** Half a million lines: no field of them is quoted, and only four of the seven are kept. */
function readSales(text: string, productOf: ReadonlyMap<string, number>): ShopData['sales'] {
  const columns = text.slice(0, text.indexOf('\n')).split(',');
  const [item, timestamp, quantity, session] = ['item', 'timestamp', 'qty', 'session'].map((name) => columns.indexOf(name));
  const lines = text.trimEnd().split('\n');
  const count = lines.length - 1;
  const sales = { product: new Int32Array(count), time: new Float64Array(count), quantity: new Int32Array(count), basket: new Int32Array(count) };
  const baskets = new Map<string, number>();
  for (let line = 0; line < count; line++) {
    const fields = lines[line + 1]!.split(',');
    const key = fields[session!]!;
    let basket = baskets.get(key);
    if (basket === undefined) baskets.set(key, (basket = baskets.size));
    sales.product[line] = productOf.get(fields[item!]!)!;
    sales.time[line] = Number(fields[timestamp!]);
    sales.quantity[line] = Number(fields[quantity!]);
    sales.basket[line] = basket;
  }
  return sales;
}
