import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import type { TrainingKernels } from '../../../src/compute/training-kernels.ts';
import { createItemLoss, positiveWeightOf, type ItemLossOptions } from '../../../src/learn/losses.ts';
import { createNegativeSampler } from '../../../src/learn/negative-sampler.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { expectClose, seededValues } from '../compute/numbers.ts';

interface Case {
  readonly seed: number;
  readonly rows: number;
  readonly items: number;
  readonly embedding: number;
}

const shapes = fc.record({ seed: fc.integer({ min: 1, max: 1e6 }), rows: fc.integer({ min: 1, max: 9 }), items: fc.integer({ min: 2, max: 14 }), embedding: fc.integer({ min: 1, max: 6 }) });

/** One step of a loss on seeded users and items, in item order (not slot order): what it returned and every gradient. */
function step(options: ItemLossOptions, { seed, rows, items, embedding }: Case, kernels: TrainingKernels) {
  const values = seededValues(seed);
  const user = kernels.allocate(rows * embedding);
  user.set(values(user.length, 2));
  const items_ = values(items * embedding, 2);
  const bias_ = values(items);
  const targets_ = Int32Array.from({ length: rows }, (_, row) => (seed + row * 3) % items);
  const weights = kernels.allocate(rows);
  weights.set(Float32Array.from({ length: rows }, (_, row) => (row % 4 === 3 ? 0 : 0.5 + row / 8)));
  const counts = Array.from({ length: items }, (_, item) => (item * 7) % 5);
  const loss = createItemLoss(options, { rows, items, embedding }, counts, kernels);
  const drawn = loss.draw(createRandom(seed));
  // Slots: the drawn items, then all others.
  const order = drawn ? [...drawn, ...Array.from({ length: items }, (_, item) => item).filter((item) => !drawn.includes(item))] : Array.from({ length: items }, (_, item) => item);
  const slots = new Map(order.map((item, slot) => [item, slot]));
  const table = kernels.allocate((items + 1) * embedding);
  const bias = kernels.allocate(items + 1);
  order.forEach((item, slot) => {
    table.set(items_.subarray(item * embedding, (item + 1) * embedding), slot * embedding);
    bias[slot] = bias_[item]!;
  });
  const gradients = { user: kernels.allocate(user.length), items: kernels.allocate(table.length), bias: kernels.allocate(bias.length) };
  const batch = { rows, user, items: table, bias, targets: targets_.map((item) => slots.get(item)!), weights };
  const learn = (): number => {
    gradients.items.fill(0);
    gradients.bias.fill(0);
    return loss.learn(batch, gradients);
  };
  const result = learn();
  return {
    loss: result,
    learn,
    batch,
    drawn,
    userGradient: gradients.user.slice(),
    itemsGradient: Float32Array.from({ length: items * embedding }, (_, at) => gradients.items[slots.get(Math.floor(at / embedding))! * embedding + (at % embedding)]!),
    biasGradient: Float32Array.from({ length: items }, (_, item) => gradients.bias[slots.get(item)!]!),
    slotGradients: { user: gradients.user.slice(), items: gradients.items.slice(), bias: gradients.bias.slice() },
  };
}

const LOSSES: readonly ItemLossOptions[] = [
  { kind: 'softmax' },
  { kind: 'sampled-softmax', negatives: 3, sampler: 'uniform' },
  { kind: 'sampled-softmax', negatives: 4, sampler: 'popularity' },
  { kind: 'gbce', negatives: 3, calibration: 0.75 },
  { kind: 'gbce', negatives: 5, calibration: 0 },
];

describe.each<[string, () => TrainingKernels]>([
  ['reference', createReferenceTrainingKernels],
  ['wasm', () => createWasmTrainingKernels({ maxBytes: 4 * 2 ** 20 })],
])('losses of the next item on %s kernels', (_, create) => {
  const kernels = create();

  test.each(LOSSES)('%o writes the differences of its value', (options) => {
    kernels.release();
    const { learn, batch, slotGradients } = step(options, { seed: 5, rows: 6, items: 9, embedding: 3 }, kernels);
    const STEP = 1e-2;
    for (const name of ['user', 'items', 'bias'] as const) {
      const numeric = batch[name].map((value, at) => {
        batch[name][at] = value + STEP;
        const above = learn();
        batch[name][at] = value - STEP;
        const below = learn();
        batch[name][at] = value;
        return (above - below) / (2 * STEP);
      });
      expectClose(slotGradients[name], numeric, 2e-3, 0.1);
    }
  });

  test('with all items drawn, the sampled soft-max is the full one', () => {
    fc.assert(fc.property(shapes, fc.constantFrom('uniform' as const, 'popularity' as const), (shape, sampler) => {
      kernels.release();
      const full = step({ kind: 'softmax' }, shape, kernels);
      const sampled = step({ kind: 'sampled-softmax', negatives: shape.items + 2, sampler }, shape, kernels);
      expect([...sampled.drawn!].sort((a, b) => a - b)).toEqual(Array.from({ length: shape.items }, (_, item) => item));
      expectClose([sampled.loss], [full.loss], 1e-5, 1);
      expectClose(sampled.userGradient, full.userGradient, 1e-5, 1);
      expectClose(sampled.itemsGradient, full.itemsGradient, 1e-5, 1);
      expectClose(sampled.biasGradient, full.biasGradient, 1e-5, 1);
    }), { numRuns: 60 });
  });

  test('the log-q correction makes the normaliser right on average, for either sampler', () => {
    const items = 12;
    const scores = seededValues(8)(items, 2);
    const exact = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    for (const sampler of ['uniform', 'popularity'] as const) {
      const counts = Array.from({ length: items }, (_, item) => 1 + item * item);
      kernels.release();
      const loss = createItemLoss({ kind: 'sampled-softmax', negatives: 4, sampler }, { rows: 1, items, embedding: 1 }, counts, kernels);
      const random = createRandom(3);
      const table = kernels.allocate(items + 1);
      const bias = kernels.allocate(items + 1);
      const user = kernels.allocate(1);
      const weights = kernels.allocate(1).fill(1);
      const gradients = { user: kernels.allocate(1), items: kernels.allocate(items + 1), bias: kernels.allocate(items + 1) };
      let sum = 0;
      const draws = 6_000;
      for (let draw = 0; draw < draws; draw++) {
        const drawn = loss.draw(random)!;
        const rest = Array.from({ length: items }, (_, item) => item).filter((item) => !drawn.includes(item));
        const order = [...drawn, ...rest];
        order.forEach((item, slot) => (bias[slot] = scores[item]!));
        // loss = log Z - score of the right item
        const value = loss.learn({ rows: 1, user, items: table, bias, targets: Int32Array.of(order.indexOf(2)), weights }, gradients);
        sum += Math.exp(value + scores[2]!);
      }
      expect(Math.abs(sum / draws / exact - 1)).toBeLessThan(0.04); // a standard error is some .01
    }
  });

  test('gBCE with t = 1 learns the probabilities themselves; with t = 0 it is overconfident', () => {
    const shares = [0.5, 0.3, 0.15, 0.05];
    const items = shares.length;
    const learnt = (calibration: number): number[] => {
      kernels.release();
      const loss = createItemLoss({ kind: 'gbce', negatives: 2, calibration }, { rows: 20, items, embedding: 1 }, shares, kernels);
      const random = createRandom(4);
      const scores = new Float32Array(items);
      const bias = kernels.allocate(items + 1);
      const targets = Int32Array.from({ length: 20 }, (_, row) => shares.findIndex((_, item) => row < 20 * shares.slice(0, item + 1).reduce((a, b) => a + b) - 1e-9));
      const table = kernels.allocate(items + 1);
      const user = kernels.allocate(20);
      const weights = kernels.allocate(20).fill(1 / 20);
      const gradients = { user: kernels.allocate(20), items: kernels.allocate(items + 1), bias: kernels.allocate(items + 1) };
      for (let round = 0; round < 8_000; round++) {
        const drawn = loss.draw(random)!;
        const order = [...drawn, ...[0, 1, 2, 3].filter((item) => !drawn.includes(item))];
        order.forEach((item, slot) => (bias[slot] = scores[item]!));
        gradients.bias.fill(0);
        loss.learn({ rows: 20, user, items: table, bias, targets: targets.map((item) => order.indexOf(item)), weights }, gradients);
        const rate = 3 / (1 + round / 100);
        order.forEach((item, slot) => (scores[item]! -= rate * gradients.bias[slot]!));
      }
      return [...scores].map((score) => 1 / (1 + Math.exp(-score)));
    };
    learnt(1).forEach((probability, item) => expect(Math.abs(probability - shares[item]!)).toBeLessThan(0.03));
    learnt(0).forEach((probability, item) => expect(probability).toBeGreaterThan(shares[item]! + 0.03));
  });
});

test('β of gBCE goes from 1 to the sampling rate', () => {
  expect(positiveWeightOf(0.1, 0)).toBeCloseTo(1, 12);
  expect(positiveWeightOf(0.1, 1)).toBeCloseTo(0.1, 12);
  expect(positiveWeightOf(256 / 3_416, 0.75)).toBeCloseTo(0.25 + 0.75 * (256 / 3_416), 12);
});

describe('the sampler of negatives', () => {
  test('draws distinct items, each as often as its weight says, and never more than always', () => {
    const weights = [1, 2, 3, 4, 90, 5, 5];
    const { inclusion, draw } = createNegativeSampler(weights, 3);
    expect(inclusion[4]).toBe(1);
    expect(inclusion.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(3, 12);
    [0, 1, 2, 3].forEach((item) => expect(inclusion[item]! / weights[item]!).toBeCloseTo(2 / 20, 12));
    const random = createRandom(7);
    const seen = new Float64Array(weights.length);
    const draws = 6_000;
    for (let at = 0; at < draws; at++) {
      const drawn = draw(random);
      expect(new Set(drawn).size).toBe(3);
      for (const item of drawn) seen[item]!++;
    }
    inclusion.forEach((chance, item) => expect(Math.abs(seen[item]! / draws - chance)).toBeLessThan(0.025));
  });

  test('keeps its promises where several items share a block', () => {
    const weights = Float64Array.from({ length: 1_000 }, (_, item) => (item === 0 ? 1e6 : 1 + (item % 9)));
    const { inclusion, draw } = createNegativeSampler(weights, 20);
    const random = createRandom(7);
    const draws = 20_000;
    const seen = new Float64Array(weights.length);
    for (let at = 0; at < draws; at++) {
      const drawn = draw(random);
      if (new Set(drawn).size !== 20) throw new Error(`${drawn.join(' ')} are not 20 items.`);
      for (const item of drawn) seen[item]!++;
    }
    expect(seen[0]).toBe(draws);
    inclusion.forEach((chance, item) => expect(Math.abs(seen[item]! / draws - chance)).toBeLessThan(5 * Math.sqrt((chance * (1 - chance)) / draws) + 1e-9));
  });

  test('puts no more in order than a few times what it draws', () => {
    const random = createRandom(1);
    const lengths: number[] = [];
    const watched = { ...random, shuffle: <T extends { [index: number]: number | string; length: number }>(values: T): T => (lengths.push(values.length), random.shuffle(values)) };
    for (const items of [200, 5_000, 100_000]) expect(createNegativeSampler(new Float64Array(items).fill(1), 100).draw(watched)).toHaveLength(100);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(800);
  });

  test('the same seed draws the same', () => {
    const draws = (seed: number): Int32Array[] => {
      const { draw } = createNegativeSampler(new Float64Array(50).fill(1), 10);
      const random = createRandom(seed);
      return [draw(random), draw(random)];
    };
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
  });
});
