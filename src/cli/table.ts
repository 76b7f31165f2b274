import { RecommenderError } from '../errors.ts';

type ColumnType = 'text' | 'number';

/** What a caller wants of a file, by column name; a `?` makes the column, and each of its cells, optional. */
export type ColumnSpec = Readonly<Record<string, ColumnType | `${ColumnType}?`>>;

interface ColumnValues {
  text: string[];
  number: Float64Array;
  /** '' in an empty cell, null without the column. */
  'text?': string[] | null;
  /** NaN in an empty cell, null without the column. */
  'number?': Float64Array | null;
}

/** Columns in the file's own row order. */
export interface Table<S extends ColumnSpec> {
  readonly rows: number;
  readonly columns: { readonly [K in keyof S]: ColumnValues[S[K]] };
}

/**
 * Reads the named columns of a CSV (plain or gzip) or Parquet file through DuckDB.
 * @throws RecommenderError `INVALID_DATA` naming the file, the line and the column; `PEER_MISSING` without DuckDB.
 */
export async function readTable<const S extends ColumnSpec>(path: string, spec: S): Promise<Table<S>> {
  const { DuckDBConnection } = await loadDuckDb();
  const connection = await DuckDBConnection.create();
  try {
    const query = async (sql: string): Promise<unknown[][]> => (await connection.run(sql)).getColumnsJS();
    const source = path.endsWith('.parquet')
      ? await describeParquet(path, query)
      : await describeCsv(path, spec, query);
    const present = Object.keys(spec).filter((name) => source.types.has(name));
    const missing = Object.keys(spec).filter((name) => !present.includes(name) && !isOptional(spec[name]!));
    if (missing.length > 0) {
      const found = [...source.types.keys()].map(quoteName).join(', ');
      throw invalid(path, `line 1: no column ${missing.map(quoteName).join(', ')} among ${found}.`);
    }
    const selected = present.map((name) => (isText(spec[name]!) ? source.text(name) : source.number(name)));
    const values = await query(`SELECT ${selected.join(', ')} FROM ${source.from}`);
    const rows = values[0]?.length ?? 0;
    const columns = Object.fromEntries(
      Object.entries(spec).map(([name, type]) => {
        const column = values[present.indexOf(name)];
        return [name, column ? typedColumn(path, name, type, column) : null];
      }),
    );
    return { rows, columns: columns as Table<S>['columns'] };
  } catch (error) {
    throw error instanceof RecommenderError ? error : invalid(path, describeFailure(error), error);
  } finally {
    connection.closeSync();
  }
}

type Query = (sql: string) => Promise<unknown[][]>;

/** A FROM clause and how its columns become text and numbers. */
interface Source {
  readonly from: string;
  readonly types: ReadonlyMap<string, string>;
  text(name: string): string;
  number(name: string): string;
}

async function describeCsv(path: string, spec: ColumnSpec, query: Query): Promise<Source> {
  const dialect = `header = true, delim = ',', quote = '"', escape = '"'`;
  const file = quoteText(path);
  // Padding lets the header be read whatever the rows hold; the real read below says which line is wrong.
  const types = await describe(`read_csv(${file}, ${dialect}, all_varchar = true, null_padding = true)`, query);
  // Every type is given, because a guess from the first rows would make numbers of ids such as 0042.
  const given = [...types.keys()].map((name) => {
    const type = spec[name] !== undefined && !isText(spec[name]) ? 'DOUBLE' : 'VARCHAR';
    return `${quoteText(name)}: '${type}'`;
  });
  return {
    from: `read_csv(${file}, ${dialect}, auto_detect = false, columns = {${given.join(', ')}})`,
    types,
    text: quoteName,
    number: quoteName,
  };
}

async function describeParquet(path: string, query: Query): Promise<Source> {
  const from = `read_parquet(${quoteText(path)})`;
  const types = await describe(from, query);
  return {
    from,
    types,
    text: (name) => `CAST(${quoteName(name)} AS VARCHAR)`,
    number: (name) =>
      types.get(name)?.startsWith('TIMESTAMP') === true
        ? `epoch(${quoteName(name)})`
        : `CAST(${quoteName(name)} AS DOUBLE)`,
  };
}

async function describe(from: string, query: Query): Promise<Map<string, string>> {
  const [names = [], types = []] = await query(`DESCRIBE SELECT * FROM ${from}`);
  return new Map(names.map((name, i) => [String(name), String(types[i])]));
}

function typedColumn(path: string, name: string, type: ColumnSpec[string], cells: readonly unknown[]): string[] | Float64Array {
  if (!isOptional(type)) {
    const empty = cells.indexOf(null);
    if (empty >= 0) throw invalid(path, `line ${empty + 2}: column ${quoteName(name)} is empty.`);
  }
  if (isText(type)) return cells.map((cell) => (typeof cell === 'string' ? cell : ''));
  return Float64Array.from(cells, (cell) => (typeof cell === 'number' ? cell : NaN));
}

/** DuckDB's message is a page long; its line number and reason are what a reader needs. */
function describeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1];
  const reason =
    /Error when converting column .*/.exec(message)?.[0].replace('Error when converting', 'converting') ??
    /Expected Number of Columns: .*/.exec(message)?.[0] ??
    message.split('\n', 1)[0]!;
  return line === undefined ? reason : `line ${line}: ${reason}`;
}

async function loadDuckDb(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new RecommenderError('PEER_MISSING', 'Reading data files needs DuckDB: npm install @duckdb/node-api', { cause: error });
  }
}

const isText = (type: ColumnSpec[string]): boolean => type.startsWith('text');
const isOptional = (type: ColumnSpec[string]): boolean => type.endsWith('?');
const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const invalid = (path: string, detail: string, cause?: unknown): RecommenderError =>
  new RecommenderError('INVALID_DATA', `${path}: ${detail}`, cause === undefined ? undefined : { cause });
