import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInspect } from '../../../src/cli/inspect.ts';
import { runTrain, type TrainOptions } from '../../../src/cli/train.ts';
import { createRandom } from '../../../src/lib/random.ts';

const ENCODER = new URL('../../../models/encoder-en', import.meta.url).pathname;
const COLOURS = ['red', 'blue', 'green', 'white', 'black'];
const THINGS = ['mug', 'plate', 'candle', 'basket', 'lamp', 'clock', 'cushion'];
const DAY = 86_400;
const quiet = (): void => undefined;

let folder: string;

/** A shop whose 60 shoppers come back every fortnight for 70 days and buy things of one colour. */
async function writeShop(): Promise<Pick<TrainOptions, 'interactions' | 'items' | 'encoder'>> {
  const random = createRandom(4);
  const items = COLOURS.flatMap((colour) => THINGS.map((thing) => `${colour}-${thing},A ${colour} ${thing},${1 + random.integer(20)}`));
  const lines: string[] = [];
  for (let visit = 0; visit < 6; visit++) {
    for (let shopper = 0; shopper < 60; shopper++) {
      const time = 1_700_000_000 + visit * 14 * DAY + shopper * 600;
      const things = random.shuffle([...THINGS]).slice(0, 4);
      lines.push(...things.map((thing) => `u${shopper},${COLOURS[shopper % COLOURS.length]!}-${thing},${time},purchase,1,2.5,s${visit}-${shopper}`));
    }
  }
  await writeFile(join(folder, 'items.csv'), `item,title,price\n${items.join('\n')}\n`);
  await writeFile(join(folder, 'log.csv'), `user,item,timestamp,event,qty,price,session\n${lines.join('\n')}\n`);
  return { interactions: join(folder, 'log.csv'), items: join(folder, 'items.csv'), encoder: ENCODER };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-train-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('shelfwise train', () => {
  test('makes a pack that passes its own checks; the same seed gives the same bytes', async () => {
    const shop = await writeShop();
    const said: string[] = [];
    for (const out of ['one', 'two']) await runTrain({ ...shop, out: join(folder, out), validationDays: 20, epochs: 2 }, (line) => said.push(line));
    const read = async (out: string, file: string): Promise<Buffer> => readFile(join(folder, out, file));
    expect(await read('two', 'pack.json')).toEqual(await read('one', 'pack.json'));
    await runInspect({ pack: join(folder, 'one') });
    expect((await read('one', 'README.md')).toString()).toContain('purchases only');
    expect(said.some((line) => line.startsWith('demand LSTM (shipped)'))).toBe(true);
  }, 120_000);

  test('a short log is trained on without demand; what is too little is refused with advice', async () => {
    const shop = await writeShop();
    const said: string[] = [];
    const until = new Date((1_700_000_000 + 2 * 14 * DAY + DAY) * 1_000).toISOString();
    await runTrain({ ...shop, until, out: join(folder, 'short'), validationDays: 10, epochs: 1 }, (line) => said.push(line));
    expect(said).toContainEqual(expect.stringContaining('demand LSTM: left out'));
    await runInspect({ pack: join(folder, 'short') });
    await expect(runTrain({ ...shop, out: join(folder, 'none'), validationDays: 400 }, quiet)).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(runTrain({ ...shop, out: join(folder, 'none'), until: 'soon' }, quiet)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  }, 120_000);
});
