import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeExit } from '../../../src/cli/exit.ts';
import { runForecast } from '../../../src/cli/forecast.ts';
import { runTrain } from '../../../src/cli/train.ts';

const pathTo = (name: string): string => new URL(`../../../models/${name}`, import.meta.url).pathname;
const quiet = (): void => undefined;

const HEADER = 'user,item,timestamp\n';
const LOG = `${HEADER}ann,0042,1700000000\nbob,7,1700000100\n`;
const ITEMS = 'item,title\n0042,Red mug\n7,Blue mug\n';
const SERIES = 'item,date,value\na,2011-01-03,4\na,2011-01-10,5\n';

let folder: string;
const file = (name: string): string => join(folder, name);

/** Parquet of one SELECT. */
async function parquetOf(name: string, select: string): Promise<Buffer> {
  const connection = await DuckDBConnection.create();
  await connection.run(`COPY (${select}) TO '${file(name)}'`);
  connection.closeSync();
  return readFile(file(name));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-malformed-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a shell would show: the exit code and standard error. */
async function exitOf(run: Promise<unknown>): Promise<{ exitCode: number; text: string }> {
  return run.then(() => ({ exitCode: 0, text: '' }), describeExit);
}

async function expectOneLine(run: Promise<unknown>, message: RegExp): Promise<void> {
  const { exitCode, text } = await exitOf(run);
  expect(text).toMatch(message);
  expect(text).not.toContain('\n');
  expect(text).toMatch(/ \[INVALID_DATA\]$/);
  expect(text.length).toBeLessThan(500);
  expect(exitCode).toBe(2);
}

type Content = string | Buffer | (() => Promise<Buffer>);
const train = async (interactions: string, items: string): Promise<unknown> =>
  runTrain({ interactions, items, encoder: pathTo('encoder-en'), out: file('out') }, quiet);

async function written(name: string, content: Content): Promise<string> {
  await writeFile(file(name), typeof content === 'function' ? await content() : content);
  return file(name);
}

describe('a log that cannot be trained on', () => {
  it.each<[string, string, Content, RegExp]>([
    ['an empty file', 'log.csv', '', /log\.csv: the file is empty; its first line names the columns/],
    ['only a header', 'log.csv', HEADER, /log\.csv: no rows behind the header; export/],
    ['a blank first line', 'log.csv', `\n${LOG}`, /line 1: no column "user", "item" among ""; rename one/],
    ['a missing column', 'log.csv', 'user,timestamp\na,1\n', /line 1: no column "item" among "user", "timestamp"; rename one, or add it/],
    ['a column twice', 'log.csv', 'user,item,user,timestamp\na,x,b,1\n', /line 1: column "user" stands there twice; rename or drop one/],
    ['neither timestamp nor pos', 'log.csv', 'user,item\na,x\n', /line 1: no column "timestamp" or "pos"; add Unix seconds/],
    ['both timestamp and pos, of which neither is complete', 'log.csv', 'user,item,timestamp,pos\na,x,1,\na,y,,2\n', /line 3: column "timestamp" is empty; fill "timestamp" or "pos" in every line/],
    ['both timestamp and pos, which contradict', 'log.csv', 'user,item,timestamp,pos\na,x,100,5\na,y,200,3\n', /line 3: column "pos" is "3"; "timestamp" puts it behind position 5; drop one/],
    ['positions alone', 'log.csv', 'user,item,pos\na,0042,0\na,7,1\n', /positions have none; add "timestamp"/],
    ['a position below 0', 'log.csv', 'user,item,pos\na,0042,0\na,7,-1\n', /line 3: column "pos" is "-1"; count positions from 0/],
    ['semicolons', 'log.csv', LOG.replaceAll(',', ';'), /line 1: columns are not separated by commas; save/],
    ['a word for a time', 'log.csv', `${LOG}ann,7,soon\n`, /line 4: column "timestamp" is "soon"; write Unix seconds/],
    ['a wrong type behind a line end in quotes', 'log.csv', `${HEADER}"an\nn",7,1\n\nann,7,soon\n`, /line 5: column "timestamp" is "soon"/],
    ['ISO dates', 'log.csv', `${LOG}ann,7,2011-03-28T12:00:00Z\n`, /line 4: column "timestamp" is "2011-03-28T12:00:00Z"; write Unix seconds/],
    ['milliseconds', 'log.csv', `${LOG}ann,7,1700000000000\n`, /line 4: column "timestamp" is "1700000000000"; .*milliseconds are divided by 1,000/],
    ['a negative time', 'log.csv', `${LOG}ann,7,-5\n`, /line 4: column "timestamp" is "-5"; write Unix seconds from 1970/],
    ['a huge time', 'log.csv', `${LOG}ann,7,1e300\n`, /line 4: column "timestamp" is "1e300"; write Unix seconds/],
    ['an empty time', 'log.csv', `${LOG}ann,7,\n`, /line 4: column "timestamp" is empty; fill/],
    ['a price with a comma', 'log.csv', 'user,item,timestamp,price\na,7,1,2.5\na,7,2,"2,5"\n', /line 3: column "price" is "2,5"; write a finite number with a point/],
    ['an infinite quantity', 'log.csv', 'user,item,timestamp,qty\na,7,1,inf\n', /line 2: column "qty" is "inf"; write a finite number/],
    ['an empty id', 'log.csv', `${LOG},7,1700000200\n`, /line 4: column "user" is empty; fill it or leave the line out/],
    ['an empty id in quotes', 'log.csv', `${LOG}ann,"",1700000200\n`, /line 4: column "item" is empty/],
    ['NUL characters', 'log.csv', `${LOG}a\0nn,7,1700000200\n`, /line 4: column "user" is "a\\u0000nn"; take the NUL character out/],
    ['too few cells', 'log.csv', `${HEADER}ann,7\nbob,7,1\n`, /line 2: 2 cells, but line 1 names 3 columns; quote/],
    ['too many cells', 'log.csv', `${LOG}ann,7,1,2,3\n`, /line 4: 5 cells, but line 1 names 3 columns; quote/],
    ['a file that ends within a line', 'log.csv', `${LOG}ann,7`, /line 4: 2 cells, but line 1 names 3/],
    ['a quote that is never closed', 'log.csv', `${LOG}"ann,7,1\nbob,7,2\n`, /line 4: opens a quote that is never closed; close it/],
    ['text behind a closing quote', 'log.csv', `${LOG}"an"n,7,1\n`, /line 4: has text behind a closing quote; write/],
    ['mixed line ends', 'log.csv', 'user,item,timestamp\r\nann,7,1\nbob,7,2\r\n', /cannot be read as CSV .*end every line alike/],
    ['an encoding that is not UTF-8', 'log.csv', Buffer.from(`${LOG}caf\u00e9,7,1\n`, 'latin1'), /line 4: is not UTF-8; save/],
    ['UTF-16', 'log.csv', Buffer.from(`\ufeff${LOG}`, 'utf16le'), /line 1: is not UTF-8; save the file as CSV in UTF-8/],
    ['UTF-16 without a byte order mark', 'log.csv', Buffer.from(LOG, 'utf16le'), /line 1: NUL characters; save the file as CSV in UTF-8/],
    ['binary junk', 'log.csv', Buffer.from(Uint8Array.from({ length: 5_000 }, (_, at) => (at * at * 31 + at * 7 + 200) % 256)), /line 1: is not UTF-8; save/],
    ['a gzip file cut short', 'log.csv.gz', gzipSync(LOG.repeat(99)).subarray(0, -6), /gzip data end early or are damaged .*; compress or copy/],
    ['a damaged gzip file', 'log.csv.gz', Buffer.from(gzipSync(LOG)).fill(0x55, 20, 40), /gzip data end early or are damaged/],
    ['CSV that calls itself gzip', 'log.csv.gz', LOG, /gzip data end early or are damaged/],
    ['CSV that calls itself Parquet', 'log.parquet', LOG, /cannot be read as Parquet, or was cut short .*; write or copy it again/],
    ['Parquet cut short', 'log.parquet', async () => (await parquetOf('whole.parquet', `SELECT 'a' AS "user", 'x' AS item, 1 AS "timestamp" FROM range(999)`)).subarray(0, -60), /cannot be read as Parquet, or was cut short/],
    ['Parquet with fractions for ids', 'log.parquet', () => parquetOf('whole.parquet', `SELECT 1.0::DOUBLE AS "user", 'x' AS item, 1 AS "timestamp"`), /column "user" has the type DOUBLE; write it as text or whole numbers/],
    ['Parquet with text for a time', 'log.parquet', () => parquetOf('whole.parquet', `SELECT 'a' AS "user", 'x' AS item, 'soon' AS "timestamp"`), /column "timestamp" has the type VARCHAR; write it as Unix seconds or TIMESTAMP/],
    ['Parquet with an empty id', 'log.parquet', () => parquetOf('whole.parquet', `SELECT * FROM (VALUES ('a', 'x', 1), (NULL, 'x', 2)) AS log("user", item, "timestamp")`), /row 2: column "user" is empty/],
    ['Parquet with an unknown event', 'log.parquet', () => parquetOf('whole.parquet', `SELECT * FROM (VALUES ('a', 'x', 1, 'view'), ('a', 'x', 2, 'cancel')) AS log("user", item, "timestamp", event)`), /row 2: column "event" is "cancel"; known are view, /],
    ['an unknown event', 'log.csv', 'user,item,timestamp,event\na,7,1,view\na,7,2,cancel\n', /line 3: column "event" is "cancel"; known are view, /],
    ['an unknown split', 'log.csv', 'user,item,timestamp,split\na,7,1,train\na,7,2,dev\n', /line 3: column "split" is "dev"; known are train, validation, test/],
    ['a log of test rows alone', 'log.csv', 'user,item,timestamp,split\na,7,1,test\n', /no line is left/],
    ['items that the catalogue does not know', 'log.csv', `${HEADER}ann,42,1700000000\n`, /none of the log's 1 items is in the catalogue; write ids alike in both \(the log has "42", the catalogue "0042"\)/],
    ['a log shorter than its validation', 'log.csv', LOG, /starts later than 31 days before its end; choose fewer --validation-days/],
  ])('%s', async (_, name, content, message) => {
    await expectOneLine(train(await written(name, content), await written('items.csv', ITEMS)), message);
  });

  it.each<[string, string, RegExp]>([
    ['items without titles', 'item,title\n0042,\n7,\n', /no item has a title for the text encoder to read; fill the column "title"/],
    ['an item twice', 'item,title\n7,A\n0042,B\n7,C\n', /line 4: column "item" is "7"; it stands there before; keep one line/],
    ['a catalogue that is a header', 'item,title\n', /items\.csv: no rows behind the header/],
    ['a price in words', 'item,title,price\n7,A,cheap\n', /line 2: column "price" is "cheap"; write a finite number/],
    ['a title with a NUL character', 'item,title\n7,A\0b\n', /line 2: column "title" is "A\\u0000b"; take the NUL character out/],
  ])('%s', async (_, items, message) => {
    await expectOneLine(train(await written('log.csv', LOG), await written('items.csv', items)), message);
  });

  it('is no such file, or a folder', async () => {
    const items = await written('items.csv', ITEMS);
    await expectOneLine(train(file('none.csv'), items), /none\.csv: there is no such file/);
    await mkdir(file('folder.csv'));
    await expectOneLine(train(file('folder.csv'), items), /folder\.csv: that is a folder; name one CSV/);
  });

  it('is never read for another whose name a pattern would match', async () => {
    await written('log1.csv', LOG);
    await expectOneLine(train(await written('log[1].csv', HEADER), await written('items.csv', ITEMS)), /log\[1\]\.csv: no rows/);
  });
});

describe('series that cannot be forecast', () => {
  it.each<[string, string, RegExp]>([
    ['a date twice', `${SERIES}a,2011-01-03,6\n`, /line 4: column "date" is "2011-01-03"; item "a" has that date twice; add its values up/],
    ['a date twice, with a time of day', `${SERIES}a,2011-01-03 12:00:00,6\n`, /line 4: .* has that date twice/],
    ['a date in words', `${SERIES}a,yesterday,6\n`, /line 4: column "date" is "yesterday"; write a date such as 2011-03-28/],
    ['a day that no month has', `${SERIES}a,2011-02-30,6\n`, /line 4: column "date" is "2011-02-30"; write a date/],
    ['a number for a date', `${SERIES}a,5,6\n`, /line 4: column "date" is "5"/],
    ['an empty date', `${SERIES}a,,6\n`, /line 4: column "date" is empty/],
    ['a value in words', `${SERIES}a,2011-01-17,many\n`, /line 4: column "value" is "many"; write a finite number/],
    ['no column of values', 'item,date\na,2011-01-03\n', /line 1: no column "value"/],
    ['only a header', 'item,date,value\n', /no rows behind the header/],
    ['one date', 'item,date,value\na,2011-01-03,4\n', /one date alone; a forecast needs the values of two days or weeks/],
    ['months', 'item,date,value\na,2011-01-01,1\na,2011-02-01,1\na,2011-03-01,1\n', /dates should be one day or seven days apart; add values up/],
    ['a backtest without a past', SERIES, /A backtest needs 56 days before the horizon/],
  ])('%s', async (_, content, message) => {
    const series = await written('series.csv', content);
    await expectOneLine(runForecast({ series, pack: pathTo('online-retail'), horizon: 2, backtest: true }, quiet), message);
  });
});
