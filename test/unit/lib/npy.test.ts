import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../../src/lib/npy.ts';

describe('writeNpy', () => {
  it('writes the header that numpy.save writes, and little-endian rows', () => {
    const file = writeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3);
    // numpy.save(f, numpy.arange(1, 7, dtype='<f4').reshape(2, 3)) has these 128 bytes before the data.
    const header = `\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`;
    expect(Buffer.from(file.subarray(0, 128)).toString('latin1')).toBe(`${header.padEnd(127)}\n`);
    expect([...new Float32Array(file.slice(128).buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
