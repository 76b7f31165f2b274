import { describe, expect, it } from 'vitest';
import type { Device, Primitives, Tensor } from '../../../src/compute/device.ts';
import { erf } from '../../../src/compute/reference/activations.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { expectClose } from './numbers.ts';

const values = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

describe('erf', () => {
  it('agrees with the tables of Abramowitz & Stegun (7.1)', () => {
    expect(erf(0)).toBe(0);
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(1)).toBeCloseTo(0.8427007929, 10);
    expect(erf(-2)).toBeCloseTo(-0.995322265, 9);
    expect(erf(7)).toBe(1);
  });
});

describe.each([
  ['reference', createReferenceDevice],
  ['wasm', () => createWasmDevice({ kernel: 'int8-relaxed' })],
  ['wasm', () => createWasmDevice({ kernel: 'f32-relaxed' })],
  ['wasm', () => createWasmDevice({ kernel: 'f32-simd' })],
] as const)('%s, by hand', (name, create) => {
  async function compute(program: (ops: Primitives) => Tensor): Promise<Float32Array> {
    const device: Device = await create();
    expect(device.name).toBe(name);
    const [result] = await device.run((ops) => [program(ops)]);
    device.dispose();
    return result!;
  }

  it('linear: x · weightᵀ + bias', async () => {
    const result = await compute((ops) => {
      const x = ops.input(values(1, 2, 3, 4), [2, 2]);
      const weight = ops.input(values(1, 0, 0, 1, 1, 1), [3, 2]);
      return ops.linear(x, weight, ops.input(values(10, 20, 30), [3]));
    });
    expect([...result]).toEqual([11, 22, 33, 13, 24, 37]);
  });

  it.each([
    ['none', [-2, -0.5, 0, 0.25, 3]],
    ['relu', [0, 0, 0, 0.25, 3]],
    ['tanh', [-0.9640275801, -0.4621171573, 0, 0.2449186624, 0.9950547537]],
    ['gelu', [-0.0455002639, -0.1542687694, 0, 0.1496765783, 2.9959503]],
  ] as const)('linear with activation %s', async (activation, expected) => {
    const result = await compute((ops) =>
      ops.linear(ops.input(values(-2, -0.5, 0, 0.25, 3), [5, 1]), ops.input(values(1), [1, 1]), null, activation));
    expectClose(result, expected, 1e-6);
  });

  it('addLayerNorm: the sum at mean 0 and variance 1, then gamma and beta', async () => {
    const result = await compute((ops) =>
      ops.addLayerNorm(
        ops.input(values(1, 1, 2, 2, 3), [1, 5]),
        ops.input(values(0, 1, 1, 2, 2), [1, 5]), // Sums 1 2 3 4 5: mean 3, variance 2.
        ops.input(values(1, 1, 1, 1, 2), [5]),
        ops.input(values(0, 0, 0, 0, 1), [5]),
        0,
      ));
    expectClose(result, [-Math.SQRT2, -Math.SQRT1_2, 0, Math.SQRT1_2, 2 * Math.SQRT2 + 1], 1e-6);
  });

  it('attention: softmax(q · k / √d) mixes v, inside each text only', async () => {
    const result = await compute((ops) =>
      // Two texts, of two tokens and one token; one head of one value. Rows are q, k, v.
      ops.attention(ops.input(values(1, 0, 10, 0, Math.log(3), 20, 5, 7, 30), [3, 3]), [2, 1], 1));
    // Token 0 has scores 0 and log 3, so weights 1/4 and 3/4; token 1 has scores 0 and 0; token 2 sees itself alone.
    expectClose(result, [17.5, 15, 30], 1e-6);
  });

  it('attention: scores are divided by the root of the head size, heads side by side', async () => {
    const root = Math.SQRT2;
    const first = [root, 0, 0, 0, 0, 0, 0, 0, 1, 2, 5, 6]; // q, k, v of two heads of two values each
    const second = [0, 0, 0, 0, Math.log(3), 0, 0, 0, 3, 4, 7, 8];
    const result = await compute((ops) => ops.attention(ops.input(values(...first, ...second), [2, 12]), [2], 2));
    expectClose(result, [2.5, 3.5, 6, 7, 2, 3, 6, 7], 1e-6);
  });

  it('meanPool: the mean of each text at unit length; zeros stay zeros', async () => {
    const result = await compute((ops) =>
      ops.meanPool(ops.input(values(2, 4, 4, 4, 0, -5, 0, 0), [4, 2]), [2, 1, 1, 0]));
    expectClose(result, [0.6, 0.8, 0, -1, 0, 0, 0, 0], 1e-6);
  });

  it('lstm: gates in the order input, forget, cell, output', async () => {
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const result = await compute((ops) =>
      ops.lstm(
        ops.input(values(2), [1, 1, 1]),
        {
          inputWeights: ops.input(values(0.1, 0.2, 0.3, 0.4), [4, 1]),
          hiddenWeights: ops.input(values(0.5, 0.6, 0.7, 0.8), [4, 1]),
          bias: ops.input(values(0.01, 0.02, 0.03, 0.04), [4]),
        },
        ops.input(values(0.5, -1), [2, 1, 1]),
      ));
    const cell = sigmoid(0.72) * -1 + sigmoid(0.46) * Math.tanh(0.98);
    expectClose(result, [sigmoid(1.24) * Math.tanh(cell), cell], 1e-6);
  });
});
