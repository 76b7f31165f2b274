import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInteractions, SPLITS } from '../../../src/cli/data.ts';
import { HashedDictionary } from '../../../src/cli/hashed-dictionary.ts';
import { stableOrder } from '../../../src/cli/stable-order.ts';

let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-formats-'));
});
afterAll(() => rm(folder, { recursive: true }));

const id = fc.string({ unit: fc.constantFrom('a', 'B', '0', ' ', ',', '"', '\n', 'é', '日', '🛒', "'"), minLength: 1, maxLength: 20 });
const row = fc.record({
  user: id,
  item: id,
  timestamp: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 4e9, noNaN: true })),
  event: fc.constantFrom('view', 'purchase', ''),
  qty: fc.option(fc.integer({ min: -9, max: 9 })),
  price: fc.option(fc.float({ min: 0, max: 1e6, noNaN: true })),
  rating: fc.option(fc.constantFrom(1, 2.5, 5)),
  session: fc.constantFrom('', 's1', '0042', '42'),
  split: fc.constantFrom(...SPLITS),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;
const COLUMNS = ['user', 'item', 'timestamp', 'event', 'qty', 'price', 'rating', 'session', 'split'] as const satisfies readonly (keyof Row)[];

const csvCell = (cell: Row[keyof Row]): string => (typeof cell === 'string' && /[,"\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : String(cell ?? ''));
const csvOf = (rows: readonly Row[], end: string): string => [COLUMNS.join(','), ...rows.map((each) => COLUMNS.map((column) => csvCell(each[column])).join(','))].join(end) + end;
const sqlCell = (cell: Row[keyof Row]): string => (typeof cell === 'string' ? `'${cell.replaceAll("'", "''")}'` : cell === null ? 'NULL' : `${cell}::DOUBLE`);

async function writeParquet(name: string, rows: readonly Row[]): Promise<void> {
  const connection = await DuckDBConnection.create();
  const values = rows.map((each) => `(${COLUMNS.map((column) => sqlCell(each[column])).join(', ')})`).join(', ');
  await connection.run(`COPY (SELECT * FROM (VALUES ${values}) AS log(${COLUMNS.map((column) => `"${column}"`).join(', ')})) TO '${file(name)}'`);
  connection.closeSync();
}

/** What a log should read as, written as plainly as can be. */
function expected(rows: readonly Row[]): unknown {
  const ordered = rows.map((each, at) => ({ ...each, at })).sort((a, b) => a.timestamp - b.timestamp || a.at - b.at);
  const distinct = (values: readonly string[]): string[] => [...new Set(values)];
  const sessions = distinct(ordered.map(({ session }) => session).filter((session) => session !== ''));
  const users = distinct(ordered.map(({ user }) => user));
  const items = distinct(ordered.map(({ item }) => item));
  const kinds = distinct(ordered.map(({ event }) => event));
  const moved = ordered.some(({ at }, place) => at !== place);
  return {
    users,
    items,
    kinds,
    fileRow: moved ? Int32Array.from(ordered, ({ at }) => at) : null,
    user: Int32Array.from(ordered, ({ user }) => users.indexOf(user)),
    item: Int32Array.from(ordered, ({ item }) => items.indexOf(item)),
    time: Float64Array.from(ordered, ({ timestamp }) => timestamp),
    clock: 'seconds',
    kind: Uint8Array.from(ordered, ({ event }) => kinds.indexOf(event)),
    session: Int32Array.from(ordered, ({ session }) => sessions.indexOf(session)),
    price: Float32Array.from(ordered, ({ price }) => price ?? NaN),
    quantity: Float32Array.from(ordered, ({ qty }) => qty ?? NaN),
    rating: Float32Array.from(ordered, ({ rating }) => rating ?? NaN),
    split: Uint8Array.from(ordered, ({ split }) => SPLITS.indexOf(split)),
  };
}

describe('readInteractions', () => {
  it('reads CSV, CSV with a byte order mark and \\r\\n, gzip and Parquet to the same columns', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (rows) => {
        await writeFile(file('log.csv'), csvOf(rows, '\n'));
        await writeFile(file('windows.csv'), `\ufeff${csvOf(rows, '\r\n')}`);
        await writeFile(file('log.csv.gz'), gzipSync(csvOf(rows, '\n')));
        await writeParquet('log.parquet', rows);
        const wanted = expected(rows);
        for (const name of ['log.csv', 'windows.csv', 'log.csv.gz', 'log.parquet']) expect(await readInteractions(file(name))).toEqual(wanted);
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it('keeps many chunks of rows and many ids apart', async () => {
    const rows = 200_000;
    const lines = Array.from({ length: rows }, (_, at) => `u${(at * 7919) % 50_021},i${at % 301},${rows - at}`);
    await writeFile(file('long.csv'), `user,item,timestamp\n${lines.join('\n')}\n`);
    const log = await readInteractions(file('long.csv'));
    expect([log.users.length, log.items.length, log.time.length]).toEqual([50_021, 301, rows]);
    const wrong = lines.findIndex((line, at) => {
      const place = rows - 1 - at;
      return line !== `${log.users[log.user[place]!]!},${log.items[log.item[place]!]!},${log.time[place]!}`;
    });
    expect(wrong).toBe(-1);
  });

  it('takes positions where times are not complete, and orders one second by them where they are', async () => {
    await writeFile(file('half.csv'), 'user,item,timestamp,pos\na,x,,1\na,y,50,0\n');
    expect(await readInteractions(file('half.csv'))).toMatchObject({ clock: 'position', items: ['y', 'x'] });
    await writeFile(file('both.csv'), 'user,item,timestamp,pos\na,x,50,1\na,y,50,0\n');
    expect(await readInteractions(file('both.csv'))).toMatchObject({ clock: 'seconds', items: ['y', 'x'] });
  });
});

describe('stableOrder', () => {
  const keys = fc.array(fc.tuple(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ min: 0, noNaN: true })), fc.integer({ min: 0, max: 3 })), { maxLength: 60 });

  it('is the order of a stable sort by each key', () => {
    fc.assert(
      fc.property(keys, (rows) => {
        const order = stableOrder(Float64Array.from(rows, ([first]) => first), Float64Array.from(rows, ([, second]) => second));
        const sorted = [...rows.keys()].sort((a, b) => rows[a]![0] - rows[b]![0] || rows[a]![1] - rows[b]![1] || a - b);
        expect([...(order ?? rows.keys())]).toEqual(sorted);
      }),
    );
  });
});

describe('HashedDictionary', () => {
  it('tells hashes apart that fall into one slot, and reads each text once', () => {
    const dictionary = new HashedDictionary();
    let read = 0;
    const codeOf = (high: number): number => dictionary.codeOf(high, 5, () => `text ${read++}`);
    const first = Array.from({ length: 3_000 }, (_, high) => codeOf(high));
    expect(first).toEqual([...first.keys()]);
    expect(Array.from({ length: 3_000 }, (_, high) => codeOf(high))).toEqual(first);
    expect([read, dictionary.values[2_999]]).toEqual([3_000, 'text 2999']);
  });
});
