import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Candidate, PageContext } from '../../../src/types.ts';
import type { Models } from '../../../src/worker/models.ts';
import type { Engine } from '../../../src/worker/protocol.ts';
import { loadShippedModels, newShopper } from '../../helpers/shipped-models.ts';

// The packs that ship, as a new shop starts: shop-en and encoder-en.

const NOW = Date.UTC(2026, 0, 5);
const TITLES = ['Garden spade, ash handle', 'Set of 4 red enamel mugs', 'Brass table lamp', 'Wool blanket, grey', 'Scented candle, fig', 'Oak picture frame', 'Bird feeder with roof', 'Linen apron'];
const SHELF: readonly Candidate[] = TITLES.map((title, at) => ({ id: `sku-${at}`, title }));
const [SPADE, MUGS] = [0, 1];

let models: Models;
const engines: Engine[] = [];
beforeAll(async () => {
  models = await loadShippedModels('shop-en');
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
  await models.dispose();
});

function start(): Engine {
  const engine = newShopper(models, NOW);
  engines.push(engine);
  return engine;
}

/** y of each item of the shelf. */
async function scoresOf(engine: Engine, context?: PageContext, candidates = SHELF): Promise<number[]> {
  const { ranked, complete } = await engine.rerank(candidates, { limit: Infinity, deadlineMs: Infinity, ...(context && { context }) });
  expect(complete).toBe(true);
  const scores = new Array<number>(candidates.length);
  ranked.serverPositions.forEach((position, place) => (scores[position] = ranked.scores[place]!));
  return scores;
}

const best = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));

/** How much more the mugs gain by a context than the rest of the shelf. */
async function gainOfMugs(engine: Engine, context: PageContext): Promise<number> {
  const [without, within] = [await scoresOf(engine), await scoresOf(engine, context)];
  const gains = within.map((score, at) => score - without[at]!);
  return gains[MUGS]! - gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}

async function track(engine: Engine, type: 'cart' | 'search', titles: readonly string[]): Promise<void> {
  await engine.track(
    titles.map((title, at) => ({ id: `${title} ${at}`, event: { type, time: NOW - 60_000, ...(type === 'search' ? { query: title } : { item: { id: title, title } }) } })),
  );
}

describe('what a page says', () => {
  it('moves what is alike to the top for a shopper of whom nothing is known, by each of its texts', async () => {
    const engine = start();
    expect(best(await scoresOf(engine, { query: 'cups for coffee' }))).toBe(MUGS);
    expect(best(await scoresOf(engine, { page: 'Mugs & Cups' }))).toBe(MUGS);
    expect(best(await scoresOf(engine, { referrerCategory: 'digging in the garden' }))).toBe(SPADE);
    expect(best(await scoresOf(engine, { query: 'mug', page: 'Gardening' }))).toBe(MUGS);
  });

  it('is blended with what sells: popularity decides where the texts do not', async () => {
    const selling = TITLES.map((_, at) => ({ id: `n-${at}`, title: 'Set of 4 red enamel mugs', demand: { measure: 'sales', asOf: NOW / 1000, stepDays: 7, values: [at, at, at, at] } }) as const);
    expect(best(await scoresOf(start(), { query: 'mug' }, selling))).toBe(TITLES.length - 1);
  });

  it('fades with what is known', async () => {
    const engine = start();
    const gains = [await gainOfMugs(engine, { query: 'mug' })];
    for (const count of [1, 9]) {
      await track(engine, 'cart', new Array<string>(count).fill('Garden trowel and fork'));
      gains.push(await gainOfMugs(engine, { query: 'mug' }));
    }
    expect(gains).toEqual(gains.toSorted((a, b) => b - a));
    expect(gains[2]).toBeLessThan(0.5 * gains[0]!);
  });

  it('is not logged, and the next slate knows nothing of it', async () => {
    const engine = start();
    await track(engine, 'cart', ['Garden trowel']);
    const [before, known] = [await scoresOf(engine), await engine.formula(SHELF[0]!)];
    await scoresOf(engine, { query: 'mug' });
    expect(await scoresOf(engine)).toEqual(before);
    expect(await engine.formula(SHELF[0]!)).toEqual(known);
    const exported = await engine.exportData();
    expect(exported.behaviour).toHaveLength(1);
    expect(JSON.stringify(exported)).not.toContain('mug');
  });

  it('counts once where it was tracked, too', async () => {
    const engine = start();
    await track(engine, 'search', ['mug']);
    expect(await scoresOf(engine, { query: ' MUG' })).toEqual(await scoresOf(engine));
  });

  it('is in the formula of a candidate as it was in its score', async () => {
    const engine = start();
    const context = { query: 'mug' };
    const scores = await scoresOf(engine, context, [SHELF[MUGS]!]);
    expect((await engine.formula(SHELF[MUGS]!, context)).score).toBeCloseTo(scores[0]!, 5);
  });

  it('says when the slate is for', async () => {
    const engine = start();
    await engine.track([{ id: 'seen', event: { type: 'view', time: NOW - 60_000, item: SHELF[0]! } }]);
    const sinceLast = async (time?: number): Promise<number> => (await engine.formula(SHELF[0]!, time === undefined ? undefined : { time })).features['sinceLast']!;
    expect(await sinceLast()).toBeCloseTo(Math.log1p(1 / 60), 5);
    expect(await sinceLast(NOW + 3_600_000)).toBeCloseTo(Math.log1p(1 + 1 / 60), 5);
  });

  it('is left out where it is of another form, and fails no slate', async () => {
    const engine = start();
    const plain = await scoresOf(engine);
    const nonsense = [null, 3, 'mug', [], ['mug'], { query: 3 }, { query: '' }, { query: '  ' }, { page: {} }, { referrerCategory: ['mug'] }, { time: NaN }, { time: '12' }];
    for (const context of nonsense) expect(await scoresOf(engine, context as PageContext)).toEqual(plain);
    expect((await scoresOf(engine, { query: 'mug '.repeat(50_000), time: -1e300 })).every(Number.isFinite)).toBe(true);
  });
});

it('ranks with the demo’s pack and its LSTM, whose state the page leaves alone', async () => {
  const shop = await loadShippedModels();
  const engine = newShopper(shop, NOW);
  const { hidden } = await engine.formula(SHELF[MUGS]!);
  const plain = await scoresOf(engine);
  const asked = await scoresOf(engine, { query: 'red mugs' });
  const others = (scores: readonly number[]): number => scores.filter((score) => score > scores[MUGS]!).length;
  expect(others(asked)).toBeLessThanOrEqual(others(plain));
  expect(asked[MUGS]! - Math.max(...asked.filter((_, at) => at !== MUGS))).toBeGreaterThan(plain[MUGS]! - Math.max(...plain.filter((_, at) => at !== MUGS)));
  expect((await engine.formula(SHELF[MUGS]!, { query: 'red mugs' })).hidden).toEqual(hidden);
  await engine.close();
  await shop.dispose();
});
