import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/lib/random.ts';

const ENCODER = new URL('../../models/encoder-en', import.meta.url).pathname;
const COLOURS = ['red', 'blue', 'green', 'white', 'black'];
const THINGS = ['mug', 'plate', 'candle', 'basket', 'lamp', 'clock', 'cushion'];
const DAY = 86_400;

/** Unix seconds of the first visit. */
export const FIRST_VISIT = 1_700_000_000;

/** Writes a shop whose 60 shoppers come back every fortnight for 70 days and buy things of one colour. */
export async function writeTinyShop(folder: string): Promise<{ interactions: string; items: string; encoder: string }> {
  const random = createRandom(4);
  const items = COLOURS.flatMap((colour) => THINGS.map((thing) => `${colour}-${thing},A ${colour} ${thing},${1 + random.integer(20)}`));
  const lines: string[] = [];
  for (let visit = 0; visit < 6; visit++) {
    for (let shopper = 0; shopper < 60; shopper++) {
      const time = FIRST_VISIT + visit * 14 * DAY + shopper * 600;
      const things = random.shuffle([...THINGS]).slice(0, 4);
      lines.push(...things.map((thing) => `u${shopper},${COLOURS[shopper % COLOURS.length]!}-${thing},${time},purchase,1,2.5,s${visit}-${shopper}`));
    }
  }
  const shop = { interactions: join(folder, 'log.csv'), items: join(folder, 'items.csv'), encoder: ENCODER };
  await writeFile(shop.items, `item,title,price\n${items.join('\n')}\n`);
  await writeFile(shop.interactions, `user,item,timestamp,event,qty,price,session\n${lines.join('\n')}\n`);
  return shop;
}
