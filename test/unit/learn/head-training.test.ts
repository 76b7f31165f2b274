import { describe, expect, test } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { createRandom } from '../../../src/lib/random.ts';
import type { HeadQuery } from '../../../src/learn/head-queries.ts';
import { DEFAULT_HEAD_TRAINING, trainHead } from '../../../src/learn/head-training.ts';
import { FEATURE_COUNT } from '../../../src/rank/features.ts';

const ROWS = 12;
const TELLING = 3; // the one feature that says what comes next
const COLUMNS = [0, TELLING, 9, 12];

/** Lists whose target is the row with the largest value of one feature; the others and h_u are noise. */
function lists(count: number): HeadQuery[] {
  const random = createRandom(6);
  return Array.from({ length: count }, (_, shopper) => {
    const features = Float32Array.from({ length: ROWS * FEATURE_COUNT }, () => random.normal());
    features[TELLING] = 4;
    return { shopper, events: 0, items: Int32Array.from({ length: ROWS }, (__, item) => item), found: true, features, hidden: Float32Array.of(random.normal(), random.normal()), offsets: new Float32Array(ROWS), target: 0, later: [0], kind: 'catalogue' };
  });
}

const train = (changes = {}, count = 300) => trainHead(lists(count), COLUMNS, 2, createTrainingKernels({ maxBytes: 16 * 2 ** 20 }), { ...DEFAULT_HEAD_TRAINING, batchLists: 8, leastSteps: 0, ...changes });

describe('training the joint head', () => {
  test('finds the feature that tells, beside noise', () => {
    const { history } = train();
    expect(history.at(-1)!.ndcg).toBeGreaterThan(0.9);
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss / 2);
  });

  test('learns from a shelf all that the session brings, and measures itself on the next item alone', () => {
    const shelves = lists(200).map((query) => {
      query.features[TELLING] = 0; // the first of the right rows has nothing to tell it
      query.features[5 * FEATURE_COUNT + TELLING] = 4;
      return { ...query, later: [0, 5], kind: 'shelf' as const };
    });
    const options = { ...DEFAULT_HEAD_TRAINING, batchLists: 8, leastSteps: 0 };
    const { heldOut } = trainHead([...shelves, ...lists(20).map((query, at) => ({ ...query, features: shelves[at]!.features }))], COLUMNS, 2, createTrainingKernels({ maxBytes: 16 * 2 ** 20 }), { ...options, laterShare: 0 });
    expect(heldOut.length).toBeGreaterThan(0);
    expect(heldOut.every(({ query }) => query.kind === 'catalogue')).toBe(true);
    for (const { scores } of heldOut) expect(scores.indexOf(Math.max(...scores))).toBe(5);
  });

  test('reads a small log more often, within bounds', () => {
    const epochs = (leastSteps: number): number => train({ epochs: 3, mostEpochs: 6, leastSteps }, 40).history.length; // 4 or 5 steps each
    expect([epochs(0), epochs(20), epochs(1_000)]).toEqual([3, 5, 6]);
  });

  test('the same seed gives the same bytes, another seed others', () => {
    const [one, two, other] = [train(), train(), train({ seed: 2 })];
    expect(two.tensors).toEqual(one.tensors);
    expect(other.tensors.get('layer0')).not.toEqual(one.tensors.get('layer0'));
  });
});
