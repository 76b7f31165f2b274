import { describe, expect, test } from 'vitest';
import { createReferenceTrainingKernels } from '../../../src/compute/reference/training.ts';
import { createWasmTrainingKernels } from '../../../src/compute/wasm/training.ts';
import { adaptParameters, type AdapterOptions } from '../../../src/learn/adapters.ts';
import { startFrom } from '../../../src/learn/continued-interest.ts';
import type { Histories } from '../../../src/learn/histories.ts';
import { DEFAULT_INTEREST_TRAINING, trainInterest, type InterestData } from '../../../src/learn/interest-training.ts';
import { LowRankMatrix } from '../../../src/learn/lora.ts';
import { createParameters } from '../../../src/learn/parameters.ts';
import { createRandom } from '../../../src/lib/random.ts';

const LORA: AdapterOptions = { kind: 'lora', rank: 2 };
const ITEMS = 6;

/** Shoppers who go around the items in steps of `stride`; the last event of each is for validation. */
function dataOf(stride: number, earlier?: InterestData['earlier']): InterestData {
  const length = 8;
  const make = (events: number): Histories => {
    const rows = Array.from({ length: ITEMS * events }, (_, row) => ({ user: Math.floor(row / events), at: row % events }));
    return {
      users: ITEMS,
      items: ITEMS,
      offsets: Int32Array.from({ length: ITEMS + 1 }, (_, user) => user * events),
      item: Int32Array.from(rows, ({ user, at }) => (user + stride * at) % ITEMS),
      kind: new Uint8Array(rows.length),
      time: Float64Array.from(rows, ({ at }) => at * 60),
      price: new Float32Array(rows.length).fill(NaN),
      session: Int32Array.from(rows, ({ user }) => user),
    };
  };
  const random = createRandom(8);
  return {
    protocol: 'session',
    training: make(length - 1),
    refit: make(length),
    textVectors: Float32Array.from({ length: ITEMS * 4 }, () => random.normal() / 2),
    textDimensions: 4,
    priceQuantiles: new Float32Array(101),
    itemPrices: new Float32Array(ITEMS).fill(NaN),
    earlier,
  };
}

const OPTIONS = {
  ...DEFAULT_INTEREST_TRAINING,
  embedding: 8,
  hidden: 12,
  lanes: 6,
  steps: 4,
  maxEpochs: 80,
  patience: 80,
  refitEpochs: 0,
  learningRate: 0.02,
  warmUpSteps: 0,
  regularisation: { inputDropout: 0, hiddenDropout: 0, residualDropout: 0, kindWeight: 0, daysWeight: 0 },
};
const kernels = () => createWasmTrainingKernels({ maxBytes: 2 ** 24 });

describe('a difference of low rank', () => {
  test('starts as nothing, and its gradients are the differences of what its sum gives', () => {
    const device = createReferenceTrainingKernels();
    const [rows, columns, n] = [5, 4, 3];
    const random = createRandom(1);
    const draw = (length: number): Float32Array => {
      const array = device.allocate(length);
      array.forEach((_, at) => (array[at] = random.normal()));
      return array;
    };
    const [matrix, x, direction] = [draw(rows * columns), draw(n * columns), draw(n * rows)];
    const kept = matrix.slice();
    const low = new LowRankMatrix(matrix, [rows, columns], 2, device, random);
    low.refresh();
    expect(matrix).toEqual(kept);
    low.parameters.get('lora.b')!.values.forEach((_, at, values) => (values[at] = random.normal()));
    const out = device.allocate(n * rows);
    const loss = (): number => {
      low.refresh();
      device.matmul(out, x, matrix, { m: n, n: rows, k: columns }, { transposeB: true });
      return out.reduce((sum, value, at) => sum + value * direction[at]!, 0);
    };
    loss();
    const ofMatrix = device.allocate(rows * columns);
    device.matmul(ofMatrix, direction, x, { m: rows, n: columns, k: n }, { transposeA: true });
    const ways = [() => low.addGradient(ofMatrix), () => low.addGradientOfRows(x, direction, n, device.allocate(n * 2))];
    for (const way of ways) {
      for (const { gradient } of low.parameters.values()) gradient.fill(0);
      way();
      for (const [name, { values, gradient }] of low.parameters) {
        values.forEach((value, at) => {
          const [up, down] = [1, -1].map((sign) => {
            values[at] = value + sign * 1e-2;
            return loss();
          }) as [number, number];
          values[at] = value;
          expect(Math.abs((up - down) / 2e-2 - gradient[at]!), `${name}[${at}]`).toBeLessThan(2e-3 * (1 + Math.abs(gradient[at]!)));
        });
      }
    }
  });

  test.each<[AdapterOptions, string[]]>([
    [LORA, ['projection.lora.a', 'projection.lora.b', 'lstm.input.lora.a', 'lstm.input.lora.b']],
    [{ kind: 'head-only' }, ['items.bias', 'user', 'user.bias']],
    [{ kind: 'full' }, ['projection', 'residual', 'items.bias', 'lstm.input', 'lstm.bias', 'user', 'user.bias']],
  ])('%o trains what it says', (options, names) => {
    const shapes = { projection: [4, 3], residual: [9, 4], 'items.bias': [9], 'lstm.input': [8, 4], 'lstm.bias': [8], user: [4, 2], 'user.bias': [4] };
    const plan = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, spread: 1 }]));
    const device = createReferenceTrainingKernels();
    expect([...adaptParameters(options, createParameters(device, createRandom(1), plan), () => true, device, createRandom(2)).learning.keys()]).toEqual(names);
    expect(adaptParameters(options, createParameters(device, createRandom(1), plan), () => false, device, createRandom(2)).learning.size).toBe(0);
  });
});

describe('an interest model that goes on', () => {
  const rowOf = Int32Array.from({ length: ITEMS }, (_, item) => item);

  test.each<AdapterOptions>([{ kind: 'full' }, LORA])('%o learns the new days to the last item, the same bytes from the same seed, and says what it forgot', async (adapter) => {
    const first = await trainInterest(dataOf(1), kernels(), OPTIONS);
    expect(Math.max(...first.history.map(({ ndcg }) => ndcg ?? 0))).toBe(1);
    expect(first.continued).toBeNull();
    const earlier = { tensors: first.tuned, rowOf, oldDays: dataOf(1).refit };
    const run = () => trainInterest(dataOf(5, earlier), kernels(), { ...OPTIONS, adapter });
    const second = await run();
    expect(Math.max(...second.history.map(({ ndcg }) => ndcg ?? 0))).toBe(1);
    expect((await run()).tuned).toEqual(second.tuned);
    const { old, recent } = second.continued!;
    expect(recent.after).toBeLessThan(recent.before);
    expect(old!.before).toBeLessThan(1);
    expect(old!.after).toBeGreaterThan(old!.before);
    const changed = [...second.tuned].filter(([name, { values }]) => values.some((value, at) => value !== first.tuned.get(name)!.values[at]) && name !== 'items').map(([name]) => name);
    if (adapter.kind === 'lora') {
      expect(changed.sort()).toEqual(['lstm.hidden', 'lstm.input', 'projection', 'user']);
      expect(second.trained).toBeLessThan(first.trained);
    } else expect(changed).toContain('lstm.bias');
  }, 60_000);

  test('head-only leaves the LSTM as it is; a training without a step ships what it came from', async () => {
    const first = await trainInterest(dataOf(1), kernels(), { ...OPTIONS, maxEpochs: 5 });
    const earlier = { tensors: first.tuned, rowOf, oldDays: null };
    const second = await trainInterest(dataOf(5, earlier), kernels(), { ...OPTIONS, maxEpochs: 5, adapter: { kind: 'head-only' } });
    expect(second.tuned.get('lstm.hidden')).toEqual(first.tuned.get('lstm.hidden'));
    expect(second.tuned.get('user')).not.toEqual(first.tuned.get('user'));
    expect(second.continued!.old).toBeNull();
    const same = await trainInterest(dataOf(1, earlier), kernels(), { ...OPTIONS, maxEpochs: 0 });
    for (const [name, { values }] of first.tuned) if (name !== 'items.unseenBias') values.forEach((value, at) => expect(same.tuned.get(name)!.values[at]).toBeCloseTo(value, 5));
  }, 60_000);

  test('a new item starts from its text and the bias of unseen items', async () => {
    const data = dataOf(1);
    const first = await trainInterest(data, kernels(), { ...OPTIONS, maxEpochs: 3 });
    const device = createReferenceTrainingKernels();
    const plan = Object.fromEntries([...first.tuned].filter(([name]) => !name.startsWith('items')).map(([name, { shape }]) => [name, { shape, spread: 1 }]));
    const parameters = createParameters(device, createRandom(3), { ...plan, residual: { shape: [ITEMS, OPTIONS.embedding], spread: 1 }, 'items.bias': { shape: [ITEMS], spread: 1 } });
    startFrom(parameters, { tensors: first.tuned, rowOf: rowOf.map((row) => (row === 2 ? -1 : row)), oldDays: null }, data.textVectors, device);
    const residual = parameters.get('residual')!.values;
    expect([...residual.subarray(2 * OPTIONS.embedding, 3 * OPTIONS.embedding)]).toEqual(new Array(OPTIONS.embedding).fill(0));
    expect(parameters.get('items.bias')!.values[2]).toBe(first.tuned.get('items.unseenBias')!.values[0]);
    expect(parameters.get('items.bias')!.values[1]).toBe(first.tuned.get('items.bias')!.values[1]);
    const wrong = createParameters(device, createRandom(3), { user: { shape: [3, 3], spread: 1 } });
    expect(() => startFrom(wrong, { tensors: first.tuned, rowOf, oldDays: null }, data.textVectors, device)).toThrow('has no user of shape [3, 3]');
  });
});
