/** Gives products their departments and pictures by the shipped text encoder: `items.csv.gz`, `pictures.json` and the icons in `pictures/`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { readCsv, writeCsv } from './csv.ts';
import { assignDepartments, DEPARTMENTS } from './departments.ts';
import { choosePictures, PHRASES, type Picture } from './pictures.ts';
import { textVectors } from './text-vectors.ts';

interface BareProduct {
  readonly item: string;
  readonly title: string;
  readonly price: number;
}

interface IconSet {
  readonly icons: Readonly<Record<string, { readonly body: string }>>;
  readonly width: number;
  readonly height: number;
}

const place = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  void dressProducts(Array.from(readCsv(place('items.csv.gz')), (row) => ({ item: row.item!, title: row.title!, price: Number(row.price) })));
}

export async function dressProducts(products: readonly BareProduct[]): Promise<void> {
  const titles = products.map(({ title }) => title);
  const seeds = DEPARTMENTS.flatMap((department) => department.seeds);
  const { vectors, dimensions } = await textVectors(titles, [...seeds, ...PHRASES]);
  const seedsAt = titles.length * dimensions;
  const phrasesAt = seedsAt + seeds.length * dimensions;
  const departments = assignDepartments(vectors.subarray(0, seedsAt), vectors.subarray(seedsAt, phrasesAt), dimensions);
  const pictures = choosePictures(titles, vectors, vectors.subarray(phrasesAt), dimensions);
  writeCsv(place('items.csv.gz'), ['item', 'title', 'price', 'category'], products.map(({ item, title, price }, row) => [item, title, price, DEPARTMENTS[departments[row]!]!.name]));
  const lines = products.map(({ item }, row) => `${JSON.stringify(item)}: ${JSON.stringify(names(pictures[row]!))}`);
  writeFileSync(place('pictures.json'), `{\n${lines.join(',\n')}\n}\n`);
  const icons = new Set(pictures.flatMap(names));
  writeIcons([...icons].sort());
  console.log(`${products.length} products in ${new Set(departments).size} departments, ${icons.size} icons`);
}

function names({ thing, motif }: Picture): string[] {
  return motif === null ? [thing] : [thing, motif];
}

function writeIcons(used: readonly string[]): void {
  const set = JSON.parse(readFileSync(createRequire(import.meta.url).resolve('@iconify-json/fluent-emoji-flat/icons.json'), 'utf8')) as IconSet;
  rmSync(place('pictures'), { recursive: true, force: true });
  mkdirSync(place('pictures'));
  for (const name of used) {
    const icon = set.icons[name];
    if (icon === undefined) throw new Error(`Fluent Emoji has no icon "${name}".`);
    writeFileSync(place(`pictures/${name}.svg`), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${set.width} ${set.height}">${icon.body}</svg>\n`);
  }
  writeFileSync(
    place('pictures/README.md'),
    'Fluent Emoji, Copyright (c) Microsoft Corporation, MIT licence (https://github.com/microsoft/fluentui-emoji), from the npm package\n' +
      '`@iconify-json/fluent-emoji-flat`. `demo/data/dress.ts` writes the icons that the catalogue uses and says which product shows which\n(`pictures.json`).\n',
  );
}
