import { describe, expect, it } from 'vitest';
import { ResultArrays } from '../../../src/compute/wasm/result-arrays.ts';

describe('ResultArrays', () => {
  it('gives every result values of its own, in blocks that several short ones share', () => {
    const results = new ResultArrays();
    const memory = Float32Array.from({ length: 1_000 }, (_, i) => i);
    const sizes = Array.from({ length: 200 }, (_, i) => (i * 37) % 300);
    const copies = sizes.map((size, i) => results.copy(memory, i, size));
    memory.fill(-1);
    copies.forEach((copy, i) => expect(copy).toEqual(Float32Array.from({ length: sizes[i]! }, (_, k) => i + k)));
    copies[5]!.fill(7);
    expect(copies[4]![0]).toBe(4);
    expect(copies[6]![0]).toBe(6);
    expect(new Set(copies.map(({ buffer }) => buffer)).size).toBeLessThan(copies.length / 2);
  });

  it('gives a long result memory of its own', () => {
    const results = new ResultArrays();
    const memory = new Float32Array(1_000);
    expect(results.copy(memory, 0, 300).buffer.byteLength).toBe(1_200);
  });
});
