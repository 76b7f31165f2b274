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
    return { shopper, features, hidden: Float32Array.of(random.normal(), random.normal()), offsets: new Float32Array(ROWS), target: 0 };
  });
}

const train = (changes = {}) => trainHead(lists(300), COLUMNS, 2, createTrainingKernels({ maxBytes: 16 * 2 ** 20 }), { ...DEFAULT_HEAD_TRAINING, batchLists: 8, ...changes });

describe('training the joint head', () => {
  test('finds the feature that tells, beside noise', () => {
    const { history } = train();
    expect(history.at(-1)!.ndcg).toBeGreaterThan(0.9);
    expect(history.at(-1)!.loss).toBeLessThan(history[0]!.loss / 2);
  });

  test('the same seed gives the same bytes, another seed others', () => {
    const [one, two, other] = [train(), train(), train({ seed: 2 })];
    expect(two.tensors).toEqual(one.tensors);
    expect(other.tensors.get('layer0')).not.toEqual(one.tensors.get('layer0'));
  });
});
