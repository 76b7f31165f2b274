import { describe, expect, it } from 'vitest';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { MultVaeNetwork, type MultVaeBatch } from '../../../src/learn/mult-vae-network.ts';
import { trainMultVae } from '../../../src/learn/mult-vae-training.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { createBaskets } from '../../../src/rank/simple/baskets.ts';
import { createMultVae, type MultVae } from '../../../src/rank/simple/mult-vae.ts';

const SHAPE = { items: 7, hidden: 5, latent: 3, shoppers: 4 };
const STEP = 1e-2;
const kernels = () => createWasmTrainingKernels({ maxBytes: 16 * 2 ** 20 });

function scores(model: MultVae, ...items: number[]): number[] {
  const out = new Float32Array(model.items).fill(99);
  createMultVae(model).score({ session: items.map((item) => ({ item, weight: 1 })), history: [], now: 1 }, out);
  return Array.from(out);
}

describe('Mult-VAE', () => {
  const random = createRandom(4);
  const batch: MultVaeBatch = {
    items: [Int32Array.of(0, 3), Int32Array.of(1, 2, 6), Int32Array.of(5)],
    values: [Float32Array.of(0.7, 0.7), Float32Array.of(1.2, 0, 0.6), Float32Array.of(1)],
    noise: Float32Array.from({ length: 3 * SHAPE.latent }, () => random.normal()),
    klWeight: 0.7,
  };

  it.each([
    ['reference', createReferenceTrainingKernels],
    ['wasm', kernels],
  ])('has the gradients of its loss, by finite differences on the %s kernels', (_, create) => {
    const network = new MultVaeNetwork(SHAPE, create(), createRandom(2));
    for (const { values } of network.parameters.values()) values.forEach((value, at) => (values[at] = value + random.normal() / 5)); // biases, too
    network.learn(batch);
    const gradients = new Map([...network.parameters].map(([name, { gradient }]) => [name, gradient.slice()]));
    for (const [name, { values }] of network.parameters) {
      gradients.get(name)!.forEach((gradient, at) => {
        const value = values[at]!;
        values[at] = value + STEP;
        const above = network.learn(batch);
        values[at] = value - STEP;
        const below = network.learn(batch);
        values[at] = value;
        expect(gradient, `${name} ${at}`).toBeCloseTo((above - below) / (2 * STEP), 2);
      });
    }
  });

  it('has the loss reckoned by hand where all weights are 0', () => {
    const network = new MultVaeNetwork(SHAPE, kernels(), createRandom(2));
    for (const { values } of network.parameters.values()) values.fill(0);
    network.parameters.get('code.bias')!.values.fill(0.5); // μ = .5 and log σ² = .5 in each of three units
    const divergence = (3 * (0.25 + Math.exp(0.5) - 1 - 0.5)) / 2;
    expect(network.learn(batch)).toBeCloseTo(2 * Math.log(7) + 0.7 * divergence, 4); // six items of three shoppers
  });

  const taste = (user: number, first: number) => ({ user, time: user, items: [0, 1, 2, 3].filter((item) => item !== user % 4).map((item) => first + item) });
  const baskets = createBaskets(Array.from({ length: 60 }, (_, user) => taste(user, user % 2 === 0 ? 0 : 4)));
  const options = { hidden: 16, latent: 4, epochs: 120, shoppers: 20, learningRate: 1e-2, inputDropout: 0.3 };

  it('learns which items go together, and ranks the missing one first', async () => {
    const model = await trainMultVae(baskets, 8, kernels(), options);
    for (const first of [0, 4]) {
      for (let left = 0; left < 4; left++) {
        const owned = [0, 1, 2, 3].filter((item) => item !== left).map((item) => first + item);
        const got = scores(model, ...owned);
        const others = [...got.keys()].filter((item) => !owned.includes(item));
        expect(others.reduce((best, item) => (got[item]! > got[best]! ? item : best))).toBe(first + left);
        expect(got.reduce((sum, score) => sum + score)).toBeCloseTo(1, 5);
      }
    }
    expect(scores(model)).toEqual(new Array(8).fill(0));
    expect(scores(model, -1, 0, 0, 8)).toEqual(scores(model, 0));
  });

  it('gives the same weights for the same seed, and falling losses', async () => {
    const losses: number[] = [];
    const [one, two] = await Promise.all([1, 2].map(() => trainMultVae(baskets, 8, kernels(), { ...options, epochs: 20, klWeight: 0, onEpoch: (_, loss) => losses.push(loss) })));
    expect(one).toEqual(two);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    await expect(trainMultVae(createBaskets([]), 8, kernels())).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });
});
