import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { checkDevice } from '../../../src/compute/self-test.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { readFileBytes } from '../../../src/packs/read-file-bytes.ts';
import type { CandidateView } from '../../../src/rank/features.ts';
import { createRanker, goldenCases, parseRecommenderPack } from '../../../src/rank/recommender-pack.ts';
import type { ShopperEvent } from '../../../src/rank/shopper-view.ts';

const TEXT = 384;
const axis = (k: number): Float32Array => {
  const vector = new Float32Array(TEXT);
  vector[k] = 1;
  return vector;
};
const candidate = (k: number, serverPosition: number | null): CandidateView => ({
  id: `item ${k}`,
  index: -1,
  textVector: axis(k),
  title: `title ${k}`,
  pricePosition: null,
  demandForecast: null,
  lastWeek: null,
  lastFourWeeks: null,
  serverPosition,
});

describe('models/shop-en', () => {
  test('knows no item, keeps the server’s order for a shopper whom nobody knows, and goes by texts from the first event on', async () => {
    const device = createReferenceDevice();
    const pack = parseRecommenderPack(await loadPack('models/shop-en/pack.json', readFileBytes));
    expect(pack.itemIds).toEqual([]);
    expect(await checkDevice(device, goldenCases(pack), { timeoutMs: 10_000 })).toMatchObject({ ok: true });

    const ranker = createRanker(pack, { sequence: device, score: device });
    const rank = async (events: readonly ShopperEvent[], isOrdered: boolean): Promise<number[]> => {
      const candidates = Array.from({ length: 12 }, (_, k) => candidate(k, isOrdered ? k : null));
      const scores = await ranker.score(await ranker.prepare({ events, state: await ranker.initialState() }, 100), candidates);
      return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
    };
    expect(await rank([], true)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const seen = { itemId: 'x', index: -1, kind: 'view', time: 0, pricePosition: null, textVector: axis(9), text: 'title 9' } as const;
    expect((await rank([seen], false))[0]).toBe(9);
  });
});
