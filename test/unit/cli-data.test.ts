import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInteractions, readItems, readSeries } from '../../src/cli/data.ts';

let folder = '';
const file = (name: string): string => join(folder, name);
const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(file(name), content);
  return file(name);
};

beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'shelfwise-data-'))));
afterAll(() => rm(folder, { recursive: true }));

const LOG = [
  'user,item,timestamp,event,qty,price,session',
  'ann,0042,200,purchase,2,1.5,i2',
  'bob,0042,100,view,,,',
  'ann,7,200,purchase,1,,i2',
  'ann,A,100,cart,1,3,i1',
].join('\n');

describe('readInteractions', () => {
  it('gives typed columns in time order, keeping the file order within one time', async () => {
    const log = await readInteractions(await write('log.csv', LOG));
    expect(Array.from(log.time)).toEqual([100, 100, 200, 200]);
    expect(Array.from(log.user, (user) => log.users[user])).toEqual(['bob', 'ann', 'ann', 'ann']);
    expect(Array.from(log.item, (item) => log.items[item])).toEqual(['0042', 'A', '0042', '7']);
    expect(Array.from(log.kind, (kind) => log.kinds[kind])).toEqual(['view', 'cart', 'purchase', 'purchase']);
    expect(log.session).toEqual(Int32Array.of(-1, 0, 1, 1));
    expect(log.price).toEqual(Float32Array.of(NaN, 3, 1.5, NaN));
    expect(log.quantity).toEqual(Float32Array.of(NaN, 1, 2, 1));
  });

  it('reads gzip and Parquet to the same columns', async () => {
    const plain = await readInteractions(await write('same.csv', LOG));
    expect(await readInteractions(await write('same.csv.gz', gzipSync(LOG)))).toEqual(plain);
    const connection = await DuckDBConnection.create();
    await connection.run(
      `COPY (SELECT * REPLACE (to_timestamp(timestamp)::TIMESTAMP AS timestamp) FROM read_csv('${file('same.csv')}', types = {'item': 'VARCHAR'})) TO '${file('same.parquet')}'`,
    );
    connection.closeSync();
    expect(await readInteractions(file('same.parquet'))).toEqual(plain);
  });

  it('takes pos where timestamp is absent or empty, and view where there is no event', async () => {
    const log = await readInteractions(await write('pos.csv', 'user,item,timestamp,pos\na,x,,1\na,y,,0\n'));
    expect(Array.from(log.item, (item) => log.items[item])).toEqual(['y', 'x']);
    expect(log.kinds).toEqual(['view']);
    expect([log.session, log.price, log.quantity]).toEqual([null, null, null]);
  });

  it.each([
    ['a missing column', 'user,timestamp\na,1\n', /line 1: no column "item" among "user", "timestamp"/],
    ['no time', 'user,item\na,x\n', /line 1: no column "timestamp" or "pos"/],
    ['a wrong type', 'user,item,timestamp\na,x,1\na,y,soon\n', /line 3: .*"timestamp".*"soon"/],
    ['an empty cell', 'user,item,timestamp\na,x,1\n,y,2\n', /line 3: column "user" is empty/],
    ['an empty time', 'user,item,timestamp\na,x,1\nb,y,\n', /line 3: column "timestamp" is empty/],
    ['a short line', 'user,item,timestamp\na,x,1\na,y\n', /line 3: 2 cells, but line 1 names 3 columns/],
  ])('names the line of %s', async (name, content, message) => {
    const path = await write(`${name}.csv`, content);
    await expect(readInteractions(path)).rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringMatching(message) as string });
  });

  it('says so when there is no such file', async () => {
    await expect(readInteractions(file('none.csv'))).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});

describe('readItems', () => {
  it('keeps ids as text and quoted titles whole', async () => {
    const items = await readItems(await write('items.csv', 'item,title,price\n0042,"Heart, ""white""",2.5\n7,,\n'));
    expect(items).toEqual({
      ids: ['0042', '7'],
      titles: ['Heart, "white"', ''],
      price: Float32Array.of(2.5, NaN),
      category: ['', ''],
    });
  });
});

describe('readSeries', () => {
  it('gives one row a line', async () => {
    const series = await readSeries(await write('series.csv', 'item,date,value\na,2011-01-03,4\nb,2011-01-03,\na,2011-01-10,5\n'));
    expect(series).toMatchObject({
      items: ['a', 'b'],
      item: Int32Array.of(0, 1, 0),
      dates: ['2011-01-03', '2011-01-10'],
      date: Int32Array.of(0, 0, 1),
      value: Float64Array.of(4, NaN, 5),
    });
  });
});
