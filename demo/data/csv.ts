import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Rows of a gzipped CSV file as records by column name; quoted fields may hold commas, quotes and newlines. */
export function* readCsv(path: string): Generator<Record<string, string>> {
  const text = gunzipSync(readFileSync(path)).toString('utf8');
  const lines = fields(text);
  const header = lines.next().value ?? [];
  for (const line of lines) yield Object.fromEntries(header.map((name, column) => [name, line[column] ?? '']));
}

/** Writes rows under a header; the same rows give the same bytes, because gzip's time field is left empty. */
export function writeCsv(path: string, header: readonly string[], rows: Iterable<readonly (string | number)[]>): void {
  const lines = [header.join(',')];
  for (const row of rows) lines.push(row.map(quote).join(','));
  writeFileSync(path, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
}

function quote(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* fields(text: string): Generator<string[], undefined> {
  let row: string[] = [];
  let position = 0;
  while (position < text.length) {
    let value: string;
    if (text[position] === '"') {
      let end = position + 1;
      while (text[end] !== '"' || text[end + 1] === '"') end += text[end] === '"' ? 2 : 1;
      value = text.slice(position + 1, end).replaceAll('""', '"');
      position = end + 1;
    } else {
      const stop = /[,\n]/g;
      stop.lastIndex = position;
      const end = stop.exec(text)?.index ?? text.length;
      value = text.slice(position, end);
      position = end;
    }
    row.push(value);
    if (text[position] === ',') {
      position += 1;
    } else {
      position += 1;
      yield row;
      row = [];
    }
  }
  return undefined;
}
