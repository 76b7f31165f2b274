import { describe, expect, test } from 'vitest';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest, type InterestData, type InterestTrainingOptions } from '../../../src/learn/interest-training.ts';
import { PRETRAINING_KINDS, type PretrainingOptions } from '../../../src/learn/pretraining-kinds.ts';
import { pretrain } from '../../../src/learn/pretraining.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { sessionData, viewingShoppers } from '../../helpers/viewing-shoppers.ts';

const SHOPPERS = 48;
const ITEMS = 24;
const EVENTS = 10;

const shape = { shoppers: SHOPPERS, events: EVENTS, items: ITEMS };
const data = sessionData(viewingShoppers(shape, (shopper, at) => (shopper + at) % ITEMS));
const options: InterestTrainingOptions = { ...DEFAULT_INTEREST_TRAINING, embedding: 12, hidden: 16, lanes: 8, steps: 6, maxEpochs: 0, refitEpochs: 0, learningRate: 1e-2, warmUpSteps: 10 };
const kernels = () => createTrainingKernels({ maxBytes: 64 * 2 ** 20 });
const itemsOf = async (from: InterestData): Promise<Float32Array> => (await trainInterest(from, kernels(), options)).tuned.get('items')!.values;

describe.each<PretrainingOptions>([{ kind: 'masked-items', epochs: 30 }, { kind: 'autoencoder', epochs: 200 }])('pretraining by $kind', (how) => {
  test('lowers its own loss, and its items are what training starts from', async () => {
    const { start, losses } = await pretrain(data, kernels(), options, how);
    expect(losses).toHaveLength(how.epochs);
    expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    expect(await itemsOf({ ...data, start })).toEqual(start.get('residual'));
    expect(await itemsOf(data)).not.toEqual(start.get('residual'));
  });

  test('gives the same bytes for the same seed, tells how far it is, and ends where it is told to', async () => {
    const steps: { epoch: number; share: number }[] = [];
    const few = { ...how, epochs: 2 };
    const told = await pretrain(data, kernels(), options, few, {
      onStep: ({ epoch, share }) => {
        steps.push({ epoch, share });
        return Promise.resolve();
      },
    });
    expect(told).toEqual(await pretrain(data, kernels(), options, few));
    expect(steps.map(({ epoch }) => epoch)).toEqual([...steps.map(({ epoch }) => epoch)].sort());
    for (const epoch of [1, 2]) {
      const shares = steps.filter((step) => step.epoch === epoch).map(({ share }) => share);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      expect(shares.at(-1)).toBeGreaterThan(0.5);
      expect(shares.at(-1)).toBeLessThanOrEqual(1);
    }
    const stopped = new Error('stopped');
    await expect(pretrain(data, kernels(), options, few, { onStep: () => Promise.reject(stopped) })).rejects.toBe(stopped);
  });
});

test('a masked item is told from what is behind it, too', async () => {
  // Pairs: any of 12 items, then its partner. From what was before, the first of a pair costs log 12 and the second at least nothing.
  const random = createRandom(5);
  const firsts = Array.from({ length: 200 * EVENTS }, () => random.integer(ITEMS / 2));
  const pairs = viewingShoppers({ ...shape, shoppers: 200 }, (shopper, at) => firsts[shopper * EVENTS + (at >> 1)]! + (at % 2) * (ITEMS / 2));
  const regularisation = { ...options.regularisation, inputDropout: 0, hiddenDropout: 0 };
  const { losses } = await pretrain(sessionData(pairs), kernels(), { ...options, hidden: 32, regularisation }, { kind: 'masked-items', epochs: 40 });
  expect(losses.at(-1)).toBeLessThan(0.8 * (Math.log(ITEMS / 2) / 2));
});

test.each(PRETRAINING_KINDS)('%s learns from the shoppers that are named alone', async (kind) => {
  const shoppers = Int32Array.from({ length: SHOPPERS / 2 }, (_, at) => 2 * at);
  const others = sessionData(viewingShoppers(shape, (shopper, at) => (shopper % 2 === 1 ? 3 : (shopper + at) % ITEMS)));
  const [own, same] = [data, others].map((from) => pretrain({ ...from, shoppers }, kernels(), options, { kind, epochs: 3 }));
  expect((await own!).losses).toEqual((await same!).losses);
  expect((await pretrain(data, kernels(), options, { kind, epochs: 3 })).losses).not.toEqual((await own!).losses);
});
