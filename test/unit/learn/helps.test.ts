// What `npm run bench -- helps` tries beside the product's training.
import { describe, expect, test } from 'vitest';
import { Adversarial } from '../../../bench/helps/adversarial.ts';
import { Contrastive } from '../../../bench/helps/contrastive.ts';
import { createNtXent } from '../../../bench/helps/nt-xent.ts';
import { createTrainingKernels } from '../../../src/compute/create-training-kernels.ts';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import type { EventStream } from '../../../src/learn/augmentation.ts';
import { VIEW } from '../../../src/learn/histories.ts';
import { InterestNetwork, type LearningStep, type StepExtension } from '../../../src/learn/interest-network.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest, type InterestData, type InterestHooks, type InterestTrainingOptions } from '../../../src/learn/interest-training.ts';
import { cutIntoChunks } from '../../../src/learn/lanes.ts';
import type { ItemLossOptions } from '../../../src/learn/losses.ts';
import type { SequenceOptions } from '../../../src/learn/sequence-layer.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { checkGradients } from '../../helpers/check-gradients.ts';
import { sessionData, viewingShoppers } from '../../helpers/viewing-shoppers.ts';

const SHAPE = { items: 7, text: 5, embedding: 4, hidden: 6, lanes: 3, steps: 5 };
const DROPOUT = { inputDropout: 0.3, hiddenDropout: 0.3, residualDropout: 0, kindWeight: 0, daysWeight: 0 };
const MODELS: readonly SequenceOptions[] = [{ kind: 'lstm' }, { kind: 'gru' }, { kind: 'transformer', layers: 1, heads: 2, dropout: 0.2 }];
const LOSSES: readonly ItemLossOptions[] = [
  { kind: 'softmax' },
  { kind: 'sampled-softmax', negatives: 3, sampler: 'uniform' },
  { kind: 'gbce', negatives: 3, calibration: 0.75 },
];

function streamOf(items: readonly number[]): EventStream {
  const { length } = items;
  return {
    item: Int32Array.from(items),
    kind: new Uint8Array(length).fill(VIEW),
    gap: Float32Array.from(items, (item) => 30 * item),
    price: new Float32Array(length).fill(NaN),
    weight: new Float32Array(length).fill(1),
    label: null,
  };
}

const CHUNK = cutIntoChunks([streamOf([1, 2, 3]), streamOf([4, 6, 2, 1, 5]), streamOf([0, 3, 3]), streamOf([2, 5])].values(), SHAPE.lanes, SHAPE.steps).next().value!;

/** A network whose steps are extended, and the loss of all that a step learns; every call draws the same dropout. */
function extended(
  { model = MODELS[0]!, loss = LOSSES[0]!, cosine = 0 }: { model?: SequenceOptions; loss?: ItemLossOptions; cosine?: number },
  extend: (network: InterestNetwork, add: (loss: number) => void) => StepExtension,
) {
  const random = createRandom(3);
  const textVectors = Float32Array.from({ length: SHAPE.items * SHAPE.text }, () => random.normal() / 2);
  const catalogue = { textVectors, priceQuantiles: new Float32Array(101), itemCounts: new Float32Array(SHAPE.items).fill(1) };
  const network = new InterestNetwork({ ...SHAPE, model, cosine }, catalogue, loss, createReferenceTrainingKernels(), random);
  network.parameters.get('user.bias')!.values.set([0.4, -0.7, 0.5, 0.3]); // near 0 the direction of û turns faster than differences can follow
  let added = 0;
  const extension = extend(network, (value) => (added += value));
  const wholeLoss = (): number => {
    added = 0;
    const { loss: sum, weight } = network.learn(CHUNK, createRandom(1), DROPOUT, extension);
    return sum / weight + added;
  };
  return { network, wholeLoss };
}

describe('the contrastive loss', () => {
  test.each(MODELS.flatMap((model) => [0, 4].map((cosine) => ({ model, cosine }))))('adds its differences to the gradients: %o', (how) => {
    let contrast = 0;
    const { network, wholeLoss } = extended(how, (own, add) => {
      const contrastive = new Contrastive(own, createReferenceTrainingKernels(), { weight: 0.7, temperature: 0.5 });
      return { onUsers: (step) => add((contrast = contrastive.learn(step))) };
    });
    wholeLoss(); // writes the gradients
    checkGradients(network.parameters, wholeLoss, 5e-4);
    expect(contrast).toBeGreaterThan(0);
  });

  test('is that of the textbook, and least where a pair is alone in its direction', () => {
    const [pairs, embedding, temperature] = [3, 4, 0.5];
    const { vectors, ...ntXent } = createNtXent({ pairs: 5, embedding, temperature }, createReferenceTrainingKernels());
    const random = createRandom(2);
    const views = Array.from({ length: 2 * pairs }, () => Array.from({ length: embedding }, () => random.normal()));
    const cosine = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0) / Math.hypot(...a) / Math.hypot(...b);
    const expected = views.map((view, row) => {
      const others = views.map((other, column) => (column === row ? 0 : Math.exp(cosine(view, other) / temperature)));
      return -Math.log(others[(row + pairs) % (2 * pairs)]! / others.reduce((sum, value) => sum + value));
    });
    vectors.set(views.flat());
    expect(ntXent.learn(pairs, 2)).toBeCloseTo((2 * expected.reduce((sum, value) => sum + value)) / (2 * pairs), 5);
    vectors.set([...views.slice(0, pairs), ...views.slice(0, pairs)].flat());
    expect(ntXent.learn(pairs, 1)).toBeLessThan(expected.reduce((sum, value) => sum + value) / (2 * pairs));
  });
});

describe('adversarial inputs', () => {
  const ways = [...MODELS.map((model) => ({ model })), ...LOSSES.map((loss) => ({ loss })), ...LOSSES.map((loss) => ({ loss, cosine: 4 }))];
  test.each(ways)('the perturbed loss adds its differences to the gradients, the perturbation as a constant: %o', (how) => {
    let moved: Float32Array | null = null;
    const { network, wholeLoss } = extended(how, (own, add) => {
      const adversarial = new Adversarial(own, createReferenceTrainingKernels(), { epsilon: 0.3 });
      return { onEvents: (step) => add(adversarial.learnAt(step, (moved ??= adversarial.perturbation(step)))) };
    });
    wholeLoss(); // writes the gradients
    checkGradients(network.parameters, wholeLoss, 5e-4);
  });

  test('each embedding that was read is moved by ε, which is worse than staying and worse than any other way', () => {
    const losses = { worst: 0, opposite: 0, still: 0 };
    const { wholeLoss } = extended({}, (network) => {
      const adversarial = new Adversarial(network, createReferenceTrainingKernels(), { epsilon: 0.05 });
      return {
        onEvents(step: LearningStep) {
          const moved = adversarial.perturbation(step);
          const at = (sign: number): number => adversarial.learnAt(step, moved.map((value) => sign * value));
          [losses.still, losses.worst, losses.opposite] = [at(0), at(1), at(-1)];
          const lengths = Array.from(CHUNK.item, (_, row) => Math.hypot(...moved.subarray(row * SHAPE.embedding, (row + 1) * SHAPE.embedding)));
          expect(lengths.filter((length) => length > 0).length).toBeGreaterThan(4);
          lengths.forEach((length, row) => expect(Math.min(length, Math.abs(length - 0.05)), `row ${row}`).toBeLessThan(1e-6));
          CHUNK.item.forEach((item, row) => expect(item >= 0 || lengths[row] === 0).toBe(true));
        },
      };
    });
    wholeLoss();
    expect(losses.worst).toBeGreaterThan(losses.still);
    expect(losses.opposite).toBeLessThan(losses.still);
  });
});

const ITEMS = 24;
const EVENTS = 10;

/** Round and round. */
const ring = viewingShoppers({ shoppers: 48, events: EVENTS, items: ITEMS }, (shopper, at) => (shopper + at) % ITEMS);
const data = sessionData(ring);
const options: InterestTrainingOptions = { ...DEFAULT_INTEREST_TRAINING, embedding: 12, hidden: 16, lanes: 8, steps: 6, maxEpochs: 3, refitEpochs: 0, learningRate: 1e-2, warmUpSteps: 10 };
const kernels = () => createTrainingKernels({ maxBytes: 64 * 2 ** 20 });
const train = (from: Partial<InterestData> = {}, hooks: InterestHooks = {}) => trainInterest({ ...data, ...from }, kernels(), options, hooks);

test('only the shoppers that are named are learnt from', async () => {
  const shoppers = Int32Array.from({ length: 24 }, (_, at) => 2 * at);
  const own = await train({ shoppers });
  const { training } = sessionData(viewingShoppers({ shoppers: 48, events: EVENTS, items: ITEMS }, (shopper, at) => (shopper % 2 === 1 ? 3 : (shopper + at) % ITEMS)));
  expect((await train({ shoppers, training })).history.map(({ loss }) => loss)).toEqual(own.history.map(({ loss }) => loss));
  expect((await train()).history[0]!.loss).not.toBe(own.history[0]!.loss);
});

test('an extension that adds nothing leaves the bytes as they are', async () => {
  const plain = await train();
  expect((await train({}, { extendSteps: () => ({}) })).tuned).toEqual(plain.tuned);
  const idle = await train({}, { extendSteps: (network) => (network.createLanes(), {}) });
  expect(idle.tuned).toEqual(plain.tuned);
});
