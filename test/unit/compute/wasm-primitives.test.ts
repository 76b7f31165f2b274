import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activation, Device, Primitives, Tensor } from '../../../src/compute/device.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { expectClose, seededValues } from './numbers.ts';

const reference = createReferenceDevice();

// All but int8 products (wasm-int8.test.ts) is the same in `int8-relaxed` as in `f32-relaxed`.
describe.each(['f32-relaxed', 'f32-simd'] as const)('wasm %s', (kernel) => {
  let wasm: Device;
  beforeAll(async () => void (wasm = await createWasmDevice({ kernel })));
  afterAll(() => wasm.dispose());

  /** A program over weights that stay on the device, then once more: the second use finds them packed. */
  type Weights = Readonly<Record<string, readonly [Float32Array, readonly number[]]>>;
  async function compare(
    weights: Weights,
    program: (ops: Primitives, weight: (name: string) => Tensor) => Tensor,
    least?: number,
  ): Promise<void> {
    const results = await Promise.all([wasm, reference].map(async (device) => {
      const uploaded = new Map(Object.entries(weights).map(([name, [values, shape]]) => [name, device.upload(values, shape)]));
      const run = (): Promise<Float32Array[]> => device.run((ops) => [program(ops, (name) => uploaded.get(name)!)]);
      const both = [...await run(), ...await run()];
      for (const tensor of uploaded.values()) device.free(tensor);
      return both;
    }));
    const [[first, second], [expected]] = results as [[Float32Array, Float32Array], [Float32Array]];
    expectClose(first, expected, 1e-5, least);
    expectClose(second, first, 0);
  }

  const seed = fc.integer({ min: 0, max: 1e9 });
  const size = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const activation = fc.constantFrom<Activation>('none', 'relu', 'gelu', 'tanh');
  const lengths = fc.array(size(9, 0), { minLength: 1, maxLength: 5 });
  /** Large enough that rows of almost equal values are not blown up, rounding and all. */
  const EPSILON = 0.01;
  /** Products that are summed are of about this size, and a sum of them may be almost 0. */
  const TERM = 0.1;
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

  describe('agrees with reference', () => {
    it('linear with weights that stay', async () => {
      await fc.assert(fc.asyncProperty(size(19, 0), size(70), size(41), activation, seed, async (n, m, k, name, start) => {
        const make = seededValues(start);
        const x = make(n * k, 2 / Math.sqrt(k));
        await compare({ weight: [make(m * k), [m, k]], bias: [make(m), [m]] }, (ops, weight) =>
          ops.linear(ops.input(x, [n, k]), weight('weight'), weight('bias'), name), TERM);
      }));
    });

    it('linear over more rows than are multiplied at a time', async () => {
      const make = seededValues(6);
      const x = make(131 * 30);
      await compare({ weight: [make(20 * 30), [20, 30]], bias: [make(20), [20]] }, (ops, weight) =>
        ops.linear(ops.input(x, [131, 30]), weight('weight'), weight('bias'), 'relu'));
    });

    it('linear between values of the run', async () => {
      await fc.assert(fc.asyncProperty(size(40), size(40), size(41), activation, seed, async (n, m, k, name, start) => {
        const make = seededValues(start);
        const x = make(n * k, 2 / Math.sqrt(k));
        const other = make(m * k);
        await compare({}, (ops) => ops.linear(ops.input(x, [n, k]), ops.input(other, [m, k]), null, name), TERM);
      }));
    });

    it('linear with weights on the left, after they were packed', async () => {
      await fc.assert(fc.asyncProperty(size(40), size(20), seed, async (m, k, start) => {
        const make = seededValues(start);
        const x = make(3 * k);
        await compare({ weight: [make(m * k), [m, k]] }, (ops, weight) => {
          ops.linear(ops.input(x, [3, k]), weight('weight'), null);
          return ops.linear(weight('weight'), weight('weight'), null);
        });
      }));
    });

    it('addLayerNorm', async () => {
      await fc.assert(fc.asyncProperty(size(7), size(33, 2), seed, async (n, width, start) => {
        const make = seededValues(start);
        const x = make(n * width, 3);
        const residual = make(n * width);
        await compare({ gamma: [make(width), [width]], beta: [make(width), [width]] }, (ops, weight) =>
          ops.addLayerNorm(ops.input(x, [n, width]), ops.input(residual, [n, width]), weight('gamma'), weight('beta'), EPSILON), 1);
      }));
    });

    it('attention over texts of any length', async () => {
      await fc.assert(fc.asyncProperty(lengths, size(3), size(13), seed, async (texts, heads, headSize, start) => {
        const shape = [sum(texts), 3 * heads * headSize];
        const qkv = seededValues(start)(shape[0]! * shape[1]!, 2);
        await compare({}, (ops) => ops.attention(ops.input(qkv, shape), texts, heads));
      }));
    });

    it('attention over texts of more than sixteen tokens, with heads of 32', async () => {
      const qkv = seededValues(5)(36 * 192, 2);
      await compare({}, (ops) => ops.attention(ops.input(qkv, [36, 192]), [17, 0, 16, 3], 2));
    });

    it('meanPool over texts of any length', async () => {
      await fc.assert(fc.asyncProperty(lengths, size(33), seed, async (texts, width, start) => {
        const x = seededValues(start)(sum(texts) * width);
        await compare({}, (ops) => ops.meanPool(ops.input(x, [sum(texts), width]), texts));
      }));
    });

    it('lstm', async () => {
      await fc.assert(fc.asyncProperty(size(6, 0), size(6), size(13), size(21), seed, async (steps, batch, input, hidden, start) => {
        const make = seededValues(start);
        const x = make(steps * batch * input);
        const state = make(2 * batch * hidden);
        const weights = {
          inputWeights: [make(4 * hidden * input), [4 * hidden, input]],
          hiddenWeights: [make(4 * hidden * hidden), [4 * hidden, hidden]],
          bias: [make(4 * hidden), [4 * hidden]],
        } as const;
        await compare(weights, (ops, weight) =>
          ops.lstm(
            ops.input(x, [steps, batch, input]),
            { inputWeights: weight('inputWeights'), hiddenWeights: weight('hiddenWeights'), bias: weight('bias') },
            ops.input(state, [2, batch, hidden]),
          ));
      }));
    });
  });

  describe('nonlinearities', () => {
    const inputs = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100); // -20 … 20
    async function applied(name: Activation, device: Device): Promise<Float32Array> {
      const [result] = await device.run((ops) => [
        ops.linear(ops.input(inputs, [inputs.length, 1]), ops.input(Float32Array.of(1), [1, 1]), null, name),
      ]);
      return result!;
    }

    it.each(['tanh', 'gelu'] as const)('%s is exact to two units in the last place of max(|x|, 1)', async (name) => {
      const actual = await applied(name, wasm);
      const expected = await applied(name, reference);
      const errors = inputs.map((x, i) => Math.abs(actual[i]! - expected[i]!) / Math.max(Math.abs(x), 1));
      expect(errors.reduce((a, b) => Math.max(a, b))).toBeLessThan(2 ** -22);
    });

    it('tanh keeps its relative precision at zero', async () => {
      const actual = await applied('tanh', wasm);
      const near = Array.from({ length: 100 }, (_, i) => 2001 + i);
      const errors = near.map((i) => Math.abs(actual[i]! / Math.tanh(inputs[i]!) - 1));
      expect(Math.max(...errors)).toBeLessThan(2 ** -22);
    });
  });
});
