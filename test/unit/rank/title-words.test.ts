import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { FEATURE_NAMES } from '../../../src/rank/feature-schema.ts';
import { FEATURE_COUNT, type CandidateView } from '../../../src/rank/features.ts';
import { Ranker, type RankerTables } from '../../../src/rank/ranker.ts';
import type { ShopperEvent } from '../../../src/rank/shopper-view.ts';
import { createTitleReader, wordCosine } from '../../../src/rank/title-words.ts';

function cosine(a: string, b: string): number {
  const [one, other] = createTitleReader()([a, b]);
  return wordCosine(one!, other!);
}

describe('words of titles', () => {
  test('a title is like itself, whatever its case and punctuation, and unlike one without a common word', () => {
    expect(cosine('Halo 3: Limited Edition', 'HALO 3 limited edition')).toBeCloseTo(1, 6);
    expect(cosine('Halo 3', 'Mario Kart')).toBe(0);
    expect(cosine('', 'Mario Kart')).toBe(0);
  });

  test('a common name counts more than a common function word', () => {
    expect(cosine('The Legend of Zelda', 'Zelda')).toBeGreaterThan(cosine('The Legend of Zelda', 'The Art of War'));
  });

  test('is the cosine of weights by word, in whatever order they stand and however many titles were read before', () => {
    const read = createTitleReader();
    for (let page = 0; page < 10; page++) {
      read(Array.from({ length: 500 }, (_, at) => `Item ${page} ${at} of the list`));
      const [one, other] = read(['Mugs, a set of four in the box', 'Box for four of the mugs']);
      // mugs, four and box weigh 1; of and the .1
      expect(wordCosine(one!, other!)).toBeCloseTo((3 + 2 * 0.01) / Math.sqrt((4 + 4 * 0.01) * (3 + 3 * 0.01)), 12);
    }
  });

  test('the reader gives what was read before', () => {
    const read = createTitleReader();
    const [mugs] = read(['Set of 4 mugs']);
    expect(read(['Two plates', 'Set of 4 mugs'])[1]).toBe(mugs);
  });
});

const none = { offsets: new Int32Array(1), items: new Int32Array(0), weights: new Float32Array(0) };
const tables: RankerTables = {
  transitions: none,
  rules: none,
  similarities: none,
  popularity: new Float32Array(0),
  priceQuantiles: new Float32Array(33),
  textMean: Float32Array.of(0, 0, 1),
  neutralTexts: 1,
  repeats: null,
};
const unit = (...values: number[]): Float32Array => Float32Array.from(values, (value) => value / Math.hypot(...values));
const candidate = (id: string, textVector: Float32Array, title?: string): CandidateView => ({
  id,
  index: -1,
  textVector,
  ...(title === undefined ? {} : { title }),
  pricePosition: null,
  demandForecast: null,
  lastWeek: null,
  lastFourWeeks: null,
  serverPosition: null,
});
const seen = (text: string, textVector: Float32Array): ShopperEvent => ({ itemId: 'x', index: -1, kind: 'view', time: 0, pricePosition: null, textVector, text });

describe('a ranker that knows no catalogue', () => {
  const ranker = new Ranker({ interest: null, head: null, tables, device: createReferenceDevice() });
  const features = async (candidates: readonly CandidateView[]): Promise<(row: number, name: 'textMean' | 'titleAffinity') => number> => {
    const shopper = await ranker.prepare({ events: [seen('red mug', unit(1, 0, 1))], state: await ranker.initialState() }, 10);
    const rows = await ranker.features(shopper, candidates);
    return (row, name) => rows[row * FEATURE_COUNT + FEATURE_NAMES.indexOf(name)]!;
  };

  test('takes the mean of other shops and of the candidates themselves from every text', async () => {
    const candidates = [candidate('a', unit(1, 0.1, 1)), candidate('b', unit(0, 1, 1))];
    const value = await features(candidates);
    const vectors = candidates.map(({ textVector }) => textVector);
    const mean = tables.textMean.map((neutral, k) => (neutral + vectors[0]![k]! + vectors[1]![k]!) / 3);
    const centred = (vector: Float32Array): Float32Array => unit(...vector.map((one, k) => one - mean[k]!));
    const expected = centred(vectors[0]!).reduce((sum, one, k) => sum + one * centred(unit(1, 0, 1))[k]!, 0);
    expect(value(0, 'textMean')).toBeCloseTo(expected, 4);
    expect(value(0, 'textMean')).toBeGreaterThan(value(1, 'textMean'));
  });

  test('prefers the candidate with a word in common among those with the same vector, and says nothing of words without titles', async () => {
    const same = unit(0.5, 0.5, 1);
    const value = await features([candidate('a', same, 'blue mug'), candidate('b', same, 'blue plate')]);
    expect(value(0, 'titleAffinity')).toBeGreaterThan(value(1, 'titleAffinity'));
    const without = await features([candidate('a', same, 'blue mug'), candidate('b', same)]);
    expect(without(0, 'titleAffinity')).toBeNaN();
  });
});
