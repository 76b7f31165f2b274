import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { Bert } from '../../../src/encoder/bert.ts';
import { bertTensors, dimsOf } from '../../../src/encoder/encoder-files.ts';
import { createContrastiveLoss } from '../../../src/learn/encoder-tuning/contrastive-loss.ts';
import { frozenStates } from '../../../src/learn/encoder-tuning/frozen-states.ts';
import { createPairSampler } from '../../../src/learn/encoder-tuning/pair-sampler.ts';
import { drawTextQueries, rankByText } from '../../../src/learn/encoder-tuning/text-ranking.ts';
import { DEFAULT_ENCODER_TUNING, tuneEncoder } from '../../../src/learn/encoder-tuning/tune-encoder.ts';
import { TunedNetwork } from '../../../src/learn/encoder-tuning/tuned-network.ts';
import type { EncoderTuning } from '../../../src/learn/encoder-tuning/tuned-linear.ts';
import { visitsOf } from '../../../src/learn/encoder-tuning/visits.ts';
import { createRandom } from '../../../src/lib/random.ts';
import { createBaskets } from '../../../src/rank/simple/baskets.ts';
import { createTinyEncoderPack } from '../../helpers/tiny-encoder-pack.ts';

const LAST_LAYER: EncoderTuning = { kind: 'last-layer' };
const LORA: EncoderTuning = { kind: 'lora', rank: 2 };

const pack = createTinyEncoderPack();
const dims = dimsOf(pack);
const tensors = bertTensors(pack);
/** Words of the tiny vocabulary between [CLS] and [SEP]. */
const TEXTS = [[5, 6], [7], [9, 10, 11], [12, 6], [13, 8, 5], [14]].map((words) => [2, ...words, 3]);

describe('trained twin of the encoder', () => {
  test.each([1, 2])('gives the encoder’s own vectors before a step (%i layers)', async (layers) => {
    const device = createReferenceDevice();
    const served = await new Bert(device, tensors, dims).encode(TEXTS);
    const states = await frozenStates(pack, device, TEXTS, layers);
    const shape = { dims, layers, texts: TEXTS.length, tokens: TEXTS.flat().length };
    const network = new TunedNetwork(tensors, shape, LORA, createReferenceTrainingKernels(), createRandom(1));
    network.forward(states).forEach((value, at) => expect(value).toBeCloseTo(served[at]!, 5));
  });

  test.each<[string, EncoderTuning, number]>([
    ['last-layer', LAST_LAYER, 1],
    ['last-layer', LAST_LAYER, 2],
    ['lora', LORA, 1],
    ['lora', LORA, 2],
  ])('the gradients are the differences of the contrastive loss ($0, $2 layers)', async (_, tuning, layers) => {
    const kernels = createReferenceTrainingKernels();
    const { hidden } = dims;
    const pairs = TEXTS.length / 2;
    const states = await frozenStates(pack, createReferenceDevice(), TEXTS, layers);
    const network = new TunedNetwork(tensors, { dims, layers, texts: TEXTS.length, tokens: TEXTS.flat().length }, tuning, kernels, createRandom(2));
    // B starts as zeros, where A has no gradient.
    const random = createRandom(3);
    for (const [name, { values }] of network.parameters) if (name.endsWith('lora.b')) values.forEach((__, at) => (values[at] = 0.1 * random.normal()));
    network.refresh();
    const loss = createContrastiveLoss({ pairs, size: hidden, temperature: 0.5 }, kernels);
    const gradients = kernels.allocate(2 * pairs * hidden);
    const lossOf = (): number => {
      network.refresh();
      const vectors = network.forward(states);
      const sides = { anchors: vectors.subarray(0, pairs * hidden), partners: vectors.subarray(pairs * hidden), isExcluded: (i: number, j: number) => i === 0 && j === 2 };
      return loss.learn(sides, { anchors: gradients.subarray(0, pairs * hidden), partners: gradients.subarray(pairs * hidden) });
    };
    lossOf();
    for (const { gradient } of network.parameters.values()) gradient.fill(0);
    network.backward(gradients, states);
    expect(network.parameters.size).toBe(layers * (tuning.kind === 'lora' ? 8 : 12));
    for (const [name, { values, gradient }] of network.parameters) {
      const steepest = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b]!) - Math.abs(gradient[a]!)).slice(0, 3);
      for (const at of steepest) {
        const kept = values[at]!;
        const differences = [1, -1].map((sign) => {
          values[at] = kept + sign * 2e-3;
          return lossOf();
        });
        values[at] = kept;
        const numeric = (differences[0]! - differences[1]!) / 4e-3;
        expect(Math.abs(numeric - gradient[at]!), `${name}[${at}]: ${numeric} by differences, ${gradient[at]!} by back-propagation`).toBeLessThan(5e-4 + 0.02 * Math.abs(numeric));
      }
    }
  });

  test.each<[string, EncoderTuning, number]>([
    ['the last layer', LAST_LAYER, 0.01],
    ['LoRA', LORA, 0.03],
  ])('%s learns which words belong together, the same bytes from the same seed', async (_, tuning, learningRate) => {
    const words = [5, 6, 7, 9, 10, 11];
    const partner = [3, 4, 5, 0, 1, 2]; // no two of a pair share a word
    const texts = words.map((word) => [2, word, 3]);
    const visits = createBaskets([0, 1, 2].flatMap((first) => [0, 1].map((user) => ({ user, time: first, items: [first, first + 3] }))));
    const states = await frozenStates(pack, createReferenceDevice(), texts, 1);
    const hits = (vectors: Float32Array): number => partner.filter((right, text) => nearest(vectors, text) === right).length / texts.length;
    const run = () =>
      tuneEncoder(
        { tensors, dims, states, sampler: createPairSampler(visits, Int32Array.from(words.keys()), words.length), validate: hits },
        createWasmTrainingKernels({ maxBytes: 2 ** 24 }),
        { ...DEFAULT_ENCODER_TUNING, tuning, learningRate, pairs: 4, epochs: 4, steps: 60 },
      );
    const tuned = await run();
    expect(tuned.history[0]!.ndcg).toBeLessThan(1);
    expect(Math.max(...tuned.history.map(({ ndcg }) => ndcg!))).toBe(1);
    expect((await run()).tensors).toEqual(tuned.tensors);
    expect(tuned.parameters).toBe(tuning.kind === 'lora' ? 2 * (4 * 8 + 2 * 8 + 8 + 12 + 12 + 8) : 24 * 8 + 24 + 64 + 8 + 2 * 96 + 12 + 8 + 4 * 8);
  });
});

function nearest(vectors: Float32Array, text: number): number {
  const { hidden } = dims;
  const cosine = (other: number): number => (other === text ? -2 : vectors.subarray(text * hidden, (text + 1) * hidden).reduce((sum, value, k) => sum + value * vectors[other * hidden + k]!, 0));
  const cosines = Array.from({ length: vectors.length / hidden }, (_, other) => cosine(other));
  return cosines.indexOf(Math.max(...cosines));
}

describe('pairs and queries', () => {
  test('visits are sessions, or a shopper’s events without a long pause', () => {
    const log = { users: 2, items: 5, user: Int32Array.of(0, 0, 1, 0, 1), item: Int32Array.of(1, 2, 3, 4, 3), time: Float64Array.of(0, 100, 150, 3_000, 160), kind: new Uint8Array(5), price: new Float32Array(5), session: new Int32Array(5).fill(-1) };
    const itemsOf = ({ items, offsets }: ReturnType<typeof visitsOf>): number[][] => Array.from({ length: offsets.length - 1 }, (_, visit) => [...items.subarray(offsets[visit], offsets[visit + 1])]);
    expect(itemsOf(visitsOf(log))).toEqual([[1, 2], [3], [4]]);
    expect(itemsOf(visitsOf(log, { pauseSeconds: Infinity }))).toEqual([[1, 2, 4], [3]]);
    expect(itemsOf(visitsOf({ ...log, session: Int32Array.of(7, 7, 7, -1, -1) }))).toEqual([[1, 2, 3], [3], [4]]);
  });

  test('pairs come from one visit, and an item sold a hundred times as often is drawn ten times as often', () => {
    const sales = Array.from({ length: 100 }, (_, user) => ({ user, time: user, items: [0, 1 + (user % 2)] }));
    const visits = createBaskets([...sales, { user: 0, time: 200, items: [3, 4] }, { user: 0, time: 201, items: [5] }]);
    const sampler = createPairSampler(visits, Int32Array.of(0, 1, 2, 3, 4, 5), 6);
    expect(sampler.texts).toBe(5);
    const random = createRandom(1);
    const drawn = new Float64Array(6);
    for (let draw = 0; draw < 5_000; draw++) {
      const [anchor, partner] = sampler.draw(random);
      expect(anchor >= 3 ? partner >= 3 && partner < 5 : partner < 3 && partner !== anchor).toBe(true);
      drawn[anchor]!++;
    }
    expect(drawn[0]! / drawn[3]!).toBeGreaterThan(7);
    expect(drawn[0]! / drawn[3]!).toBeLessThan(14);
    expect(() => createPairSampler(visits, new Int32Array(6).fill(-1), 1)).toThrow('No visit has');
  });

  test('text ranking finds the hidden item where it lies, and leaves the context out', () => {
    const visits = createBaskets([{ user: 3, time: 0, items: [0, 1] }, { user: 4, time: 1, items: [2] }]);
    const queries = drawTextQueries(visits, 10, createRandom(1));
    expect(queries).toEqual([{ customer: 3, context: [0], target: 1 }]);
    const near = Float32Array.of(1, 0, 0.9, 0.4, -1, 0);
    expect([...rankByText(near, 2, queries)]).toEqual([1]);
    const far = Float32Array.of(1, 0, -1, 0, 0.9, 0.4);
    expect(rankByText(far, 2, queries)[0]).toBeCloseTo(1 / Math.log2(3));
  });
});
