import { expect, test } from 'vitest';
import { Bottleneck } from '../../../bench/tuning/bottleneck.ts';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { plainStream } from '../../../src/learn/augmentation.ts';
import { logBefore } from '../../../src/learn/histories.ts';
import { InterestNetwork } from '../../../src/learn/interest-network.ts';
import { DEFAULT_INTEREST_TRAINING, PARAMETER_GROUPS, trainInterest, type InterestData } from '../../../src/learn/interest-training.ts';
import { cutIntoChunks } from '../../../src/learn/lanes.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { checkGradients } from '../../helpers/check-gradients.ts';
import { sessionData, viewingShoppers } from '../../helpers/viewing-shoppers.ts';

const ITEMS = 7;
const EVENTS = 9;

/** Shoppers who go round the items by strides; the last event of each is for validation. */
function going(stride: number): InterestData {
  const whole = viewingShoppers({ shoppers: 21, events: EVENTS, items: ITEMS }, (shopper, at) => (shopper + stride * at) % ITEMS);
  return sessionData(logBefore(whole, EVENTS - 1), whole);
}

test.each([0, 4])('a bottleneck adapter starts as nothing, and its gradients and those before it are right: cosine %i', (cosine) => {
  const shape = { model: { kind: 'lstm' }, items: ITEMS, text: 0, embedding: 4, hidden: 6, lanes: 3, steps: 5, cosine } as const;
  const kernels = createReferenceTrainingKernels();
  const { training, ...data } = going(2);
  const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(ITEMS).fill(1), medianOrderDays: 7 }, { kind: 'softmax' }, kernels, createRandom(3));
  network.parameters.get('user.bias')!.values.set([0.4, -0.7, 0.5, 0.3]); // near 0 the direction of û turns faster than differences can follow
  const weights = createRandom(8);
  network.parameters.get('days')!.values.forEach((_, k, values) => (values[k] = weights.normal()));
  const orderDays = Float32Array.from(training.item, (item) => (item === 2 ? NaN : 3 * item));
  const chunk = cutIntoChunks([0, 1, 2, 3].map((user) => plainStream(training, training.offsets[user]!, training.offsets[user + 1]!, { orderDays })).values(), shape.lanes, shape.steps).next().value!;
  const loss = (): number => {
    const { loss: sum, weight, daysLoss } = network.learn(chunk, createRandom(1), { inputDropout: 0.3, hiddenDropout: 0.3, residualDropout: 0, kindWeight: 0, daysWeight: 2 });
    network.resetState();
    return sum / weight + daysLoss;
  };
  const without = loss();
  const bottleneck = new Bottleneck({ hidden: shape.hidden, units: 3, rows: shape.lanes * shape.steps }, kernels, createRandom(2));
  const { parameters } = bottleneck;
  network.adaptHidden(bottleneck);
  expect(loss()).toBe(without);
  const random = createRandom(4);
  for (const { values } of parameters.values()) values.forEach((_, at) => (values[at] = random.normal() / 2));
  expect(loss()).not.toBe(without); // and writes the gradients
  checkGradients(new Map([...network.parameters, ...parameters]), loss, 5e-4);
});

test('the gradients of p(kind) reach it, too', () => {
  const shape = { model: { kind: 'lstm' }, items: ITEMS, text: 0, embedding: 4, hidden: 6, lanes: 2, steps: 3, cosine: 0 } as const;
  const kernels = createReferenceTrainingKernels();
  const { training, ...data } = going(2);
  const network = new InterestNetwork(shape, { ...data, itemCounts: new Float32Array(ITEMS).fill(1) }, { kind: 'softmax' }, kernels, createRandom(3));
  const bottleneck = new Bottleneck({ hidden: shape.hidden, units: 3, rows: shape.lanes * shape.steps }, kernels, createRandom(2));
  network.adaptHidden(bottleneck);
  const random = createRandom(4);
  for (const { values } of bottleneck.parameters.values()) values.forEach((_, at) => (values[at] = random.normal() / 2));
  const chunk = cutIntoChunks([plainStream(training, 0, 2)].values(), shape.lanes, shape.steps).next().value!;
  chunk.targetExists[chunk.targetExists.indexOf(1)] = 0; // only the second event is asked for
  const target = chunk.targetKind[chunk.targetExists.indexOf(1)]!;
  const loss = (): number => {
    const { loss: ofItem } = network.learn(chunk, createRandom(1), { inputDropout: 0, hiddenDropout: 0, residualDropout: 0, kindWeight: 1, daysWeight: 0 });
    network.resetState();
    return ofItem - Math.log(1 + network.parameters.get('kind.bias')!.gradient[target]!); // p(kind) - 1 is that gradient of one row
  };
  loss();
  checkGradients(new Map([...network.parameters, ...bottleneck.parameters]), loss);
});

test('it is learnt alone where all else is frozen, the same bytes from the same seed', async () => {
  const options = { ...DEFAULT_INTEREST_TRAINING, embedding: 8, hidden: 12, lanes: 6, steps: 4, maxEpochs: 20, patience: 20, refitEpochs: 0, learningRate: 0.02, warmUpSteps: 0 };
  const kernels = () => createTrainingKernels({ maxBytes: 2 ** 24 });
  const first = await trainInterest(going(1), kernels(), options);
  const earlier = { tensors: first.tuned, rowOf: Int32Array.from({ length: ITEMS }, (_, item) => item), oldDays: null };
  const tune = async () => {
    const device = kernels();
    const bottleneck = new Bottleneck({ hidden: 12, units: 4, rows: 24 }, device, createRandom(1));
    const tuned = await trainInterest({ ...going(3), earlier }, device, { ...options, freeze: PARAMETER_GROUPS }, {
      extendSteps: (network) => {
        network.adaptHidden(bottleneck);
        return bottleneck;
      },
    });
    return { tuned, up: bottleneck.parameters.get('bottleneck.up')!.values.slice() };
  };
  const [one, two] = [await tune(), await tune()];
  expect(one.up).toEqual(two.up);
  expect(one.tuned.trained).toBe(2 * 4 * 12);
  expect(one.tuned.tuned.get('user')).toEqual(first.tuned.get('user'));
  const { before, after } = one.tuned.continued!.recent;
  expect(after).toBeLessThan(0.8 * before);
});
