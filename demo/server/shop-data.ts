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
  // No field of this file is quoted, and half a million rows are worth the plain split.
  const lines = gunzipSync(readFileSync(`${folder}/interactions.csv.gz`)).toString('utf8').trimEnd().split('\n');
  const column = Object.fromEntries(lines[0]!.split(',').map((name, index) => [name, index]));
  const count = lines.length - 1;
  const sales = { product: new Int32Array(count), time: new Float64Array(count), quantity: new Int32Array(count), basket: new Int32Array(count) };
  const baskets = new Map<string, number>();
  for (let line = 0; line < count; line++) {
    const fields = lines[line + 1]!.split(',');
    const session = fields[column.session!]!;
    let basket = baskets.get(session);
    if (basket === undefined) baskets.set(session, (basket = baskets.size));
    sales.product[line] = productOf.get(fields[column.item!]!)!;
    sales.time[line] = Number(fields[column.timestamp!]);
    sales.quantity[line] = Number(fields[column.qty!]);
    sales.basket[line] = basket;
  }
  return { products, sales };
}
