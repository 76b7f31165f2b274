import { describe, expect, it } from 'vitest';
import { dequantiseRows } from '../../../src/lib/quantised-rows.ts';
import type { SafeTensor } from '../../../src/lib/safetensors.ts';
import { floatTensor, quantisedRows, rowReader } from '../../../src/packs/pack-tensors.ts';

/** Two rows of 64 columns in 4 bits: codes count up from 1 to 15 and again, multipliers are 1 and 16, then 2 and 3. */
function fourBitMatrix(): Map<string, SafeTensor> {
  const codes = Array.from({ length: 128 }, (_, i) => 1 + (i % 15));
  const pairs = (values: readonly number[]): Uint8Array => Uint8Array.from({ length: values.length / 2 }, (_, i) => values[2 * i]! | (values[2 * i + 1]! << 4));
  return new Map<string, SafeTensor>([
    ['w', { dtype: 'U8', shape: [2, 32], values: pairs(codes) }],
    ['w.multiplier', { dtype: 'U8', shape: [2, 1], values: pairs([0, 15, 1, 2]) }],
    ['w.scale', { dtype: 'F32', shape: [2], values: Float32Array.of(0.5, 0.25) }],
  ]);
}

describe('matrices in 4 bits', () => {
  it('unpack to codes times the multiplier of their group', () => {
    const { values, scales, columns } = quantisedRows(fourBitMatrix(), 'w', [2, 64]);
    const multiplier = [1, 16, 2, 3];
    expect([...values]).toEqual(Array.from({ length: 128 }, (_, i) => (1 + (i % 15) - 8) * multiplier[Math.floor(i / 32)]!));
    expect([...scales, columns]).toEqual([0.5, 0.25, 64]);
  });

  it('widen to float32 by the scale of their row', () => {
    const tensors = fourBitMatrix();
    expect(floatTensor(tensors, 'w', [2, 64])).toEqual(dequantiseRows(quantisedRows(tensors, 'w', [2, 64])));
    expect(floatTensor(tensors, 'w', [2, 64])[64]).toBe((1 + (64 % 15) - 8) * 2 * 0.25);
  });

  it('read row by row to the same bits', () => {
    const tensors = fourBitMatrix();
    const read = rowReader(tensors, 'w', [2, 64]);
    const floats = new Float32Array(128);
    read(1, floats, 64);
    read(0, floats, 0);
    expect(floats).toEqual(floatTensor(tensors, 'w', [2, 64]));
  });

  it.each<[string, (tensors: Map<string, SafeTensor>) => void, [number, number]]>([
    ['other rows', () => undefined, [3, 64]],
    ['columns that are no pairs of groups', () => undefined, [2, 96]],
    ['no multipliers', (tensors) => tensors.delete('w.multiplier'), [2, 64]],
    ['no scales', (tensors) => tensors.delete('w.scale'), [2, 64]],
    ['multipliers of another type', (tensors) => tensors.set('w.multiplier', { dtype: 'I8', shape: [2, 1], values: new Int8Array(2) }), [2, 64]],
    ['floats', (tensors) => tensors.set('w', { dtype: 'F32', shape: [2, 64], values: new Float32Array(128) }), [2, 64]],
  ])('are refused with %s', (_, change, shape) => {
    const tensors = fourBitMatrix();
    change(tensors);
    expect(() => quantisedRows(tensors, 'w', shape)).toThrow(expect.objectContaining({ code: 'PACK_INVALID' }));
  });
});
