import { statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { RecommenderError } from '../errors.ts';
import { checkGzip, isGzip, readCsvRecords } from './csv-records.ts';
import { HashedDictionary } from './hashed-dictionary.ts';

/**
 * `id`: text of few distinct values, as a dictionary; `text`: any text, as it is; `seconds`: Unix seconds; `number`, `float`: in 64 and in 32 bits.
 * A `?` makes the column, and each of its cells, optional.
 */
type ColumnType = 'id' | 'text' | 'seconds' | 'number' | 'float';

/** What a caller wants of a file, by column name. */
export type ColumnSpec = Readonly<Record<string, ColumnType | `${ColumnType}?`>>;

/** Texts as numbers; '' stands for an empty cell. */
export interface CodedColumn {
  /** Distinct values in order of first appearance. */
  readonly values: readonly string[];
  /** [rows] indexes into `values`. */
  readonly codes: Int32Array;
}

interface ColumnValues {
  id: CodedColumn;
  text: string[];
  seconds: Float64Array;
  number: Float64Array;
  float: Float32Array;
}

type ColumnOf<T extends ColumnSpec[string]> = T extends `${infer Type extends ColumnType}?` ? ColumnValues[Type] | null : T extends ColumnType ? ColumnValues[T] : never;

/** Columns in the file's own row order; null for an optional column that the file lacks, NaN for a number that a row lacks. */
export interface Table<S extends ColumnSpec> {
  readonly rows: number;
  readonly columns: { readonly [K in keyof S]: ColumnOf<S[K]> };
  /** `INVALID_DATA` with file and line; `advice` follows the column and its value. */
  readonly faultAt: (row: number, column: keyof S & string, advice: string) => Promise<RecommenderError>;
}

/**
 * Reads the named columns of a CSV (plain or gzip) or Parquet file through DuckDB, in chunks, without an object for a row.
 * @throws RecommenderError `INVALID_DATA` naming the file, the line and the column; `PEER_MISSING` without DuckDB.
 */
export async function readTable<const S extends ColumnSpec>(path: string, spec: S): Promise<Table<S>> {
  checkPath(path);
  return withDuckDb(async (connection) => {
    const source = await (isParquet(path) ? openParquet(path, connection) : openCsv(path));
    const present = Object.keys(spec).filter((name) => source.names.includes(name));
    checkNames(path, source.names, present, spec);
    const faultAt: Table<S>['faultAt'] = async (row, column, advice) => invalid(path, `${await source.describeCell(row, column)}; ${advice}`);
    const readers = present.map((name) => createReader(spec[name]!));
    const selected = present.flatMap((name, at) => readers[at]!.select(source.cell(name, baseOf(spec[name]!))));
    const rows = await streamRows(connection, `SELECT ${selected.join(', ')} FROM ${source.from}`, readers);
    for (const [at, reader] of readers.entries()) {
      const fault = reader.fault(rows);
      if (fault) throw await faultAt(fault.row, present[at]!, fault.advice);
    }
    const columns = Object.fromEntries(Object.keys(spec).map((name) => [name, readers[present.indexOf(name)]?.column(rows) ?? null]));
    return { rows, columns: columns as Table<S>['columns'], faultAt };
  }).catch(async (error: unknown) => {
    throw error instanceof RecommenderError ? error : invalid(path, await describeFailure(path, error), error);
  });
}

/**
 * The names of a file's columns.
 * @throws RecommenderError `INVALID_DATA`, `PEER_MISSING`
 */
export async function readColumnNames(path: string): Promise<readonly string[]> {
  checkPath(path);
  return withDuckDb(async (connection) => (await (isParquet(path) ? openParquet(path, connection) : openCsv(path))).names);
}

/** A database of its own for one piece of work; it fetches nothing. */
async function withDuckDb<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const { DuckDBInstance } = await loadDuckDb();
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A FROM clause, its columns, and where a cell stands in the file. */
interface Source {
  readonly from: string;
  readonly names: readonly string[];
  /** SQL of a column as VARCHAR, or as DOUBLE: NULL where empty, infinite where it is no number. */
  cell(name: string, type: ColumnType): string;
  describeCell(row: number, column: string): Promise<string>;
}

async function openCsv(path: string): Promise<Source> {
  if (isGzip(path)) await checkGzip(path);
  const header = (await readCsvRecords(path).next()).value as { readonly cells: readonly string[]; readonly fault: string | null } | undefined;
  if (!header) throw invalid(path, 'the file is empty; its first line names the columns, such as user,item,timestamp.');
  if (header.fault !== null) throw invalid(path, `line 1: ${header.fault}.`);
  const [only = ''] = header.cells;
  if (header.cells.length === 1 && /[;\t|]/.test(only)) throw invalid(path, 'line 1: columns are not separated by commas; save the file with commas.');
  const names = header.cells;
  if (names.some((name) => name.includes('\0'))) throw invalid(path, 'line 1: NUL characters; save the file as CSV in UTF-8.');
  // Every type is given, because a guess from the first rows would make numbers of ids such as 0042; names may repeat, numbers cannot.
  const types = names.map((_, column) => `'c${column}': 'VARCHAR'`).join(', ');
  const sql = (name: string): string => `c${names.indexOf(name)}`;
  return {
    from: `read_csv(${quotePath(path)}, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false, columns = {${types}})`,
    names,
    cell: (name, type) => (isText(type) ? sql(name) : `CASE WHEN ${sql(name)} <> '' THEN coalesce(TRY_CAST(${sql(name)} AS DOUBLE), 'inf') END`),
    async describeCell(row, column) {
      const record = await recordAt(path, row);
      const cell = record?.cells[names.indexOf(column)] ?? '';
      return `line ${record?.line ?? row + 2}: column ${quoteName(column)} ${describeText(cell)}`;
    },
  };
}

/** The record of a row that DuckDB counted from 0 behind the header. */
async function recordAt(path: string, row: number): Promise<{ line: number; cells: readonly string[] } | undefined> {
  let at = -1;
  for await (const record of readCsvRecords(path)) if (at++ === row) return record;
  return undefined;
}

async function openParquet(path: string, connection: DuckDBConnection): Promise<Source> {
  const from = `read_parquet(${quotePath(path)}, binary_as_string = true)`;
  const [names = [], types = []] = (await (await connection.run(`DESCRIBE SELECT * FROM ${from}`)).getColumnsJS()) as string[][];
  const typeOf = new Map(names.map((name, at) => [name, types[at]!]));
  return {
    from,
    names,
    cell(name, type) {
      const held = typeOf.get(name)!;
      const sql = quoteName(name);
      const wrong = (wanted: string): RecommenderError => invalid(path, `column ${sql} has the type ${held}; write it as ${wanted}.`);
      if (isText(type)) {
        if (NESTED.test(held) || (type === 'id' && FRACTIONAL.test(held))) throw wrong('text or whole numbers');
        return `CAST(${sql} AS VARCHAR)`;
      }
      if (type === 'seconds' && POINT_IN_TIME.test(held)) return `epoch(${sql})`;
      if (!NUMERIC.test(held)) throw wrong(type === 'seconds' ? 'Unix seconds or TIMESTAMP' : 'numbers');
      return `CAST(${sql} AS DOUBLE)`;
    },
    async describeCell(row, column) {
      // Callers ask long after the file was read.
      const sql = `SELECT CAST(${quoteName(column)} AS VARCHAR) FROM ${from} LIMIT 1 OFFSET ${row}`;
      const cell = await withDuckDb(async (later) => (await (await later.run(sql)).getColumnsJS())[0]?.[0]);
      return `row ${row + 1}: column ${quoteName(column)} ${describeText(typeof cell === 'string' ? cell : '')}`;
    },
  };
}

const NESTED = /\]$|^(STRUCT|MAP|UNION|BLOB)/;
const FRACTIONAL = /^(FLOAT|DOUBLE|DECIMAL)/;
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN)$/;
const POINT_IN_TIME = /^(TIMESTAMP|DATE$)/;

function checkPath(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw invalid(path, 'there is no such file.');
  if (!found.isFile()) throw invalid(path, 'that is a folder; name one CSV, CSV.gz or Parquet file.');
}

function checkNames(path: string, names: readonly string[], present: readonly string[], spec: ColumnSpec): void {
  const missing = Object.keys(spec).filter((name) => !present.includes(name) && !spec[name]!.endsWith('?'));
  if (missing.length > 0) throw invalid(path, `line 1: no column ${missing.map(quoteName).join(', ')} among ${names.map(quoteName).join(', ')}; rename one, or add it.`);
  const twice = present.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) throw invalid(path, `line 1: column ${quoteName(twice)} stands there twice; rename or drop one.`);
}

/** What DuckDB hands over of one column in one chunk. */
interface Cells {
  getItem(index: number): unknown;
}

/** Takes one column, chunk by chunk. */
interface ColumnReader {
  /** How many columns it selects. */
  readonly width: number;
  select(cell: string): readonly string[];
  /** Takes the next rows; `vectors` are of what it selected. */
  read(vectors: readonly Cells[], start: number, count: number): void;
  /** The first row that cannot be, and what to do about it. */
  fault(rows: number): { readonly row: number; readonly advice: string } | null;
  column(rows: number): CodedColumn | string[] | Float64Array | Float32Array;
}

async function streamRows(connection: DuckDBConnection, sql: string, readers: readonly ColumnReader[]): Promise<number> {
  const result = await connection.stream(sql);
  let rows = 0;
  for await (const chunk of result) {
    let column = 0;
    for (const reader of readers) {
      const vectors = Array.from({ length: reader.width }, () => chunk.getColumnVector(column++));
      reader.read(vectors, rows, chunk.rowCount);
    }
    rows += chunk.rowCount;
  }
  return rows;
}

function createReader(type: ColumnSpec[string]): ColumnReader {
  const base = baseOf(type);
  const required = !type.endsWith('?');
  if (base === 'id') return createIdReader(required);
  if (base === 'text') return createTextReader(required);
  return createNumberReader(base, required);
}

function createIdReader(required: boolean): ColumnReader {
  const dictionary = new HashedDictionary();
  let codes = new Int32Array(FIRST_ROWS);
  return {
    width: 3,
    select: (cell) => [cell, `CAST(hash(${cell}) >> 32 AS UINTEGER)`, `CAST(hash(${cell}) & 4294967295 AS UINTEGER)`],
    read([texts, high, low], start, count) {
      if (start + count > codes.length) codes = withRoom(codes, (length) => new Int32Array(length));
      for (let at = 0; at < count; at++) {
        codes[start + at] = dictionary.codeOf(high!.getItem(at) as number, low!.getItem(at) as number, () => (texts!.getItem(at) as string | null) ?? '');
      }
    },
    fault(rows) {
      const wrong = dictionary.values.findIndex((value) => (required && value === '') || value.includes('\0'));
      if (wrong < 0) return null;
      const advice = dictionary.values[wrong] === '' ? 'fill it or leave the line out.' : 'take the NUL character out.';
      return { row: codes.subarray(0, rows).indexOf(wrong), advice };
    },
    // A missing cell and an empty one are two hashes of one text.
    column: (rows) => mergeEmpty({ values: dictionary.values, codes: codes.subarray(0, rows) }),
  };
}

function mergeEmpty({ values, codes }: CodedColumn): CodedColumn {
  const first = values.indexOf('');
  const second = values.lastIndexOf('');
  if (first === second) return { values, codes };
  return { values: values.toSpliced(second, 1), codes: codes.map((code) => (code === second ? first : code > second ? code - 1 : code)) };
}

function createTextReader(required: boolean): ColumnReader {
  const texts: string[] = [];
  return {
    width: 1,
    select: (cell) => [cell],
    read([cells], _, count) {
      for (let at = 0; at < count; at++) texts.push((cells!.getItem(at) as string | null) ?? '');
    },
    fault() {
      const row = texts.findIndex((text) => (required && text === '') || text.includes('\0'));
      return row < 0 ? null : { row, advice: texts[row] === '' ? 'fill it or leave the line out.' : 'take the NUL character out.' };
    },
    column: () => texts,
  };
}

function createNumberReader(type: 'seconds' | 'number' | 'float', required: boolean): ColumnReader {
  const create = (length: number): Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> => (type === 'float' ? new Float32Array(length) : new Float64Array(length));
  let values = create(FIRST_ROWS);
  return {
    width: 1,
    select: (cell) => [cell],
    read([cells], start, count) {
      if (start + count > values.length) values = withRoom(values, create);
      for (let at = 0; at < count; at++) values[start + at] = (cells!.getItem(at) as number | null) ?? NaN;
    },
    fault(rows) {
      for (let row = 0; row < rows; row++) {
        const value = values[row]!;
        if (Number.isNaN(value) ? required : !isWithin(value, type)) return { row, advice: Number.isNaN(value) ? 'fill it or leave the line out.' : ADVICE[type] };
      }
      return null;
    },
    column: (rows) => values.subarray(0, rows),
  };
}

/** Rows that a column has room for at first. */
const FIRST_ROWS = 1 << 16;

function withRoom<T extends Int32Array | Float32Array | Float64Array>(values: T, create: (length: number) => T): T {
  const longer = create(values.length * 2);
  longer.set(values);
  return longer;
}

/** 1 January 2100: what is later is no second. */
const LAST_SECOND = 4_102_444_800;

const isWithin = (value: number, type: 'seconds' | 'number' | 'float'): boolean => Number.isFinite(value) && (type !== 'seconds' || (value >= 0 && value < LAST_SECOND));

const ADVICE = {
  seconds: 'write Unix seconds from 1970 to 2099, such as 1291191960 (milliseconds are divided by 1,000).',
  number: 'write a finite number with a point, such as 2.55.',
  float: 'write a finite number with a point, such as 2.55.',
} as const;

/** DuckDB's message is a page long and counts lines as it reads them, so the file is asked first. */
async function describeFailure(path: string, error: unknown): Promise<string> {
  const message = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
  if (isParquet(path)) return `this cannot be read as Parquet, or was cut short (${message}); write or copy it again.`;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) return `the gzip data end early or are damaged (${message}); compress or copy the file again.`;
  let columns = 0;
  for await (const { line, cells, fault } of readCsvRecords(path)) {
    if (fault !== null) return `line ${line}: ${fault}.`;
    columns ||= cells.length;
    if (cells.length !== columns) return `line ${line}: ${cells.length} cells, but line 1 names ${columns} columns; quote cells that hold commas.`;
  }
  return `this cannot be read as CSV (${message}); end every line alike, with \\n or \\r\\n, and quote cells that hold quotes.`;
}

async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new RecommenderError('PEER_MISSING', 'Reading data files needs DuckDB: npm install @duckdb/node-api', { cause: error });
  }
}

const isParquet = (path: string): boolean => path.endsWith('.parquet');
const baseOf = (type: ColumnSpec[string]): ColumnType => type.replace('?', '') as ColumnType;
const isText = (type: ColumnType): boolean => type === 'id' || type === 'text';
const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** The path as text of SQL in which no character stands for others. */
const quotePath = (path: string): string => `'${path.replaceAll(/[[*?]/g, '[$&]').replaceAll("'", "''")}'`;

function describeText(cell: string): string {
  return cell === '' ? 'is empty' : `is ${JSON.stringify(cell.length > 60 ? `${cell.slice(0, 60)}…` : cell)}`;
}

const invalid = (path: string, detail: string, cause?: unknown): RecommenderError =>
  new RecommenderError('INVALID_DATA', `${path}: ${detail}`, cause === undefined ? undefined : { cause });
