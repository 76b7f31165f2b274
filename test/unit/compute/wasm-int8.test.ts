import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Device } from '../../../src/compute/device.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { dequantiseRows, type QuantisedRows } from '../../../src/lib/quantised-rows.ts';
import { expectClose, seededValues } from './numbers.ts';

const reference = createReferenceDevice();
let int8: Device;
beforeAll(async () => void (int8 = await createWasmDevice({ kernel: 'int8-relaxed' })));

async function multiply(device: Device, x: Float32Array, matrix: QuantisedRows, bias: Float32Array | null): Promise<Float32Array> {
  const weight = device.uploadRows(matrix);
  const { columns, scales } = matrix;
  const [product] = await device.run((ops) => [
    ops.linear(ops.input(x, [x.length / columns, columns]), weight, bias && ops.input(bias, [scales.length])),
  ]);
  device.free(weight);
  return product!;
}

/** Activations that share one step. */
const GROUP = 64;

const size = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

it('int8 products are wrong by half a step of the activations at most', async () => {
  await fc.assert(fc.asyncProperty(size(70, 0), size(30), size(150), fc.boolean(), fc.integer({ min: 0, max: 1e9 }), async (n, m, k, oneSided, seed) => {
    const make = seededValues(seed);
    const matrix = { values: Int8Array.from(make(m * k, 127)), scales: make(m, 0.01), columns: k };
    const bias = make(m);
    const x = make(n * k, 3).map((value) => (oneSided && value < 0 ? value * 0.01 : value)); // As GELU gives them.
    const [actual, expected] = await Promise.all([int8, reference].map((device) => multiply(device, x, matrix, bias)));
    const weights = dequantiseRows(matrix).map(Math.abs);
    for (let row = 0; row < n; row += 1) {
      const bounds = new Float32Array(m).fill(1e-4);
      for (let start = 0; start < k; start += GROUP) {
        const end = Math.min(start + GROUP, k);
        const values = x.subarray(row * k + start, row * k + end);
        const step = (Math.max(0, ...values) - Math.min(0, ...values)) / 127;
        for (let column = 0; column < m; column += 1) {
          for (let p = start; p < end; p += 1) bounds[column]! += 0.5001 * step * weights[column * k + p]!;
        }
      }
      const errors = bounds.map((_, column) => Math.abs(actual![row * m + column]! - expected![row * m + column]!));
      expect(errors.findIndex((error, column) => !(error <= bounds[column]!))).toBe(-1);
    }
  }));
});

it('int8 products are exact where the activations are whole steps, up to the largest sums', async () => {
  const columns = 1536;
  const extremes = [127, -127, -128];
  const matrix = {
    values: Int8Array.from({ length: 4 * columns }, (_, i) => extremes[Math.floor(i / columns)] ?? (i % 255) - 127),
    scales: Float32Array.of(1, 1, 1, 0.5),
    columns,
  };
  // From -z to 127 - z: steps of one. The first row is 127 throughout but for one zero in each group.
  const x = Float32Array.from({ length: 3 * columns }, (_, i) => (i < columns ? (i % GROUP === 7 ? 0 : 127) : (i % GROUP < 2 ? (i % GROUP) * 127 : (i * 31) % 128) - (i < 2 * columns ? 64 : 127)));
  expectClose(await multiply(int8, x, matrix, null), await multiply(reference, x, matrix, null), 1e-6);
});

it('rows of zeros give the bias', async () => {
  const matrix = { values: new Int8Array(3 * 8).fill(5), scales: new Float32Array(3).fill(1), columns: 8 };
  expect(await multiply(int8, new Float32Array(8), matrix, Float32Array.of(1, 2, 3))).toEqual(Float32Array.of(1, 2, 3));
});
