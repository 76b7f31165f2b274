import { expect, test } from 'vitest';
import { readItems } from '../../../src/cli/data.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { loadShippedModels, newShopper } from '../../helpers/shipped-models.ts';

const NOW = Date.UTC(2011, 10, 15);
const SHELF = 100;
const SHOPPERS = 40;

test('a purchase moves the shelf more than a cart, a cart more than a view', async () => {
  const models = await loadShippedModels();
  const { ids, titles, price } = await readItems(new URL('../../../demo/data/items.csv.gz', import.meta.url).pathname);
  const random = createRandom(11);
  const drawn = random.shuffle([...ids.keys()]).slice(0, SHELF + SHOPPERS);
  const product = (item: number) => ({ id: ids[item]!, title: titles[item]!, price: price[item]! });
  const shelf = drawn.slice(0, SHELF).map(product);
  const scoresAfter = async (kind: 'view' | 'cart' | 'purchase' | null, item: number): Promise<Float64Array> => {
    const engine = newShopper(models, NOW);
    if (kind) await engine.track([{ id: 'one', event: { type: kind, item: product(item), time: NOW - 1_000 } }]);
    const { ranked } = await engine.rerank(shelf, { limit: Infinity, deadlineMs: Infinity });
    await engine.close();
    const places = new Float64Array(SHELF);
    ranked.serverPositions.forEach((serverPosition, place) => (places[serverPosition] = place));
    return places;
  };
  const moved = { view: 0, cart: 0, purchase: 0 };
  const before = await scoresAfter(null, 0);
  for (const item of drawn.slice(SHELF)) {
    for (const kind of ['view', 'cart', 'purchase'] as const) {
      const after = await scoresAfter(kind, item);
      moved[kind] += after.reduce((sum, place, at) => sum + Math.abs(place - before[at]!), 0) / SHELF / SHOPPERS;
    }
  }
  expect(moved.purchase).toBeGreaterThan(moved.cart);
  expect(moved.cart).toBeGreaterThan(moved.view);
  await models.dispose();
}, 120_000);
