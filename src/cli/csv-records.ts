import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** One record of a CSV file as it stands there. */
export interface CsvRecord {
  /** Of its first character, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** What is wrong with its characters, null where nothing is. */
  readonly fault: string | null;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** DuckDB refuses longer records, too; what is longer is a quote that nobody closed. */
const MAX_RECORD_BYTES = 2_000_000;

export const isGzip = (path: string): boolean => path.endsWith('.gz');

/** A CSV file's records in its own order, without blank lines; slow beside DuckDB, but it knows every line's number. */
export async function* readCsvRecords(path: string): AsyncGenerator<CsvRecord> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for await (const bytes of splitRecords(bytesOf(path))) {
    const record = readRecord(bytes, line, decoder);
    // The first line names the columns, so there a blank one is a record.
    if (record.cells.length > 1 || record.cells[0] !== '' || line === 1) yield record;
    for (const byte of bytes) if (byte === NEWLINE) line++;
  }
}

/** Reads a gzip file to its end, whose checksum DuckDB does not compare. Rejects where it is damaged or cut short. */
export async function checkGzip(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGunzip(), new Writable({ write: (_chunk, _encoding, done) => done() }));
}

function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path);
  return isGzip(path) ? file.pipe(createGunzip()) : file;
}

/** Cuts at line ends outside quotes; each record keeps its own line end. */
async function* splitRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let quoted = false;
  let before = NEWLINE;
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === QUOTE) {
        // A quote right behind a closing one is a quote inside the cell.
        const opens: boolean = !quoted && (before === COMMA || before === NEWLINE || before === QUOTE);
        before = quoted ? QUOTE : 0;
        quoted = opens;
        continue;
      }
      before = byte;
      if (byte !== NEWLINE || quoted) continue;
      yield Buffer.concat([rest, chunk.subarray(start, at + 1)]);
      rest = Buffer.alloc(0);
      start = at + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(start)]);
    if (rest.length > MAX_RECORD_BYTES) break;
  }
  if (rest.length > 0) yield rest;
}

function readRecord(bytes: Buffer, line: number, decoder: TextDecoder): CsvRecord {
  const wrong = (fault: string): CsvRecord => ({ line, cells: [], fault });
  let end = bytes.length;
  if (bytes[end - 1] === NEWLINE) end--;
  if (bytes[end - 1] === CARRIAGE_RETURN) end--;
  let text: string;
  try {
    text = decoder.decode(bytes.subarray(0, end));
  } catch {
    return wrong('is not UTF-8; save the file as CSV in UTF-8');
  }
  if (/\r(?!\n)/.test(text)) return wrong('holds a carriage return alone; end every line alike, with \\n or \\r\\n');
  const cells: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      if (close < 0) return wrong('opens a quote that is never closed; close it, or write a quote inside a quoted cell twice');
      if (close + 1 < text.length && text[close + 1] !== ',') return wrong('has text behind a closing quote; write a quote inside a quoted cell twice');
      cells.push(text.slice(at + 1, close).replaceAll('""', '"'));
      at = close + 1;
    } else {
      const comma = text.indexOf(',', at);
      const stop = comma < 0 ? text.length : comma;
      cells.push(text.slice(at, stop));
      at = stop;
    }
    if (at >= text.length) return { line, cells, fault: null };
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = from; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0 || text[at + 1] !== '"') return at;
  }
}
