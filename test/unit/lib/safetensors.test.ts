import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecommenderError } from '../../../src/errors.ts';
import { parseSafetensors, writeSafetensors } from '../../../src/lib/safetensors.ts';
import type { SafeTensor } from '../../../src/lib/safetensors.ts';

const sample: [string, SafeTensor][] = [
  ['odd', { dtype: 'I8', shape: [3], values: Int8Array.of(-1, 0, 127) }],
  ['ids', { dtype: 'I32', shape: [1, 2], values: Int32Array.of(101, 102) }],
  ['half', { dtype: 'F16', shape: [1], values: Uint16Array.of(0x3c00) }],
  ['weights', { dtype: 'F32', shape: [2, 2], values: Float32Array.of(1, -2, 3.5, 1e-9) }],
  ['__proto__', { dtype: 'U8', shape: [1], values: Uint8Array.of(7) }],
  ['empty', { dtype: 'U16', shape: [0, 4], values: new Uint16Array(0) }],
];

/** A file with any header and data. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setUint32(0, json.length, true);
  file.set(json, 8);
  return file;
}

function refusal(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes);
  } catch (error) {
    if (error instanceof RecommenderError && error.code === 'PACK_INVALID') return error.message;
    throw error;
  }
  return 'accepted';
}

describe('safetensors', () => {
  it('reads back what it writes, whatever the alignment of the file in its buffer', () => {
    const file = writeSafetensors(sample);
    for (const shift of [0, 1, 4]) {
      const moved = new Uint8Array(file.length + shift);
      moved.set(file, shift);
      const tensors = parseSafetensors(moved.subarray(shift));
      expect(Object.fromEntries([...tensors].sort())).toEqual(Object.fromEntries([...sample].sort()));
    }
  });

  it('round-trips any float tensors', () => {
    const tensor = fc.float32Array({ noNaN: true }).map((values): SafeTensor => ({ dtype: 'F32', shape: [values.length], values }));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), tensor), (tensors) => {
        const parsed = parseSafetensors(writeSafetensors(Object.entries(tensors)));
        for (const [name, { values }] of Object.entries(tensors)) expect(parsed.get(name)?.values).toEqual(values);
        expect(parsed.size).toBe(Object.keys(tensors).length);
      }),
    );
  });

  it('refuses every truncation', () => {
    const file = writeSafetensors(sample);
    fc.assert(fc.property(fc.nat(file.length - 1), (length) => refusal(file.subarray(0, length)) !== 'accepted'));
  });

  it('refuses or parses arbitrary bytes, and never fails in another way', () => {
    const noise = fc.tuple(fc.json(), fc.nat(64)).map(([json, dataBytes]) => fileOf(json, dataBytes));
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), noise), (bytes) => refusal(bytes) !== ''));
  });

  it.each([
    ['a header longer than the file', Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 123, 125), /claims 255 bytes/],
    ['a header of 2^40 bytes', Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 123, 125), /claims 1099511627776 bytes/],
    ['a header that is not JSON', fileOf('{"a":'), /not JSON/],
    ['a header that is a list', fileOf([]), /not an object/],
    ['an unknown dtype', fileOf({ a: { dtype: 'F99', shape: [1], data_offsets: [0, 4] } }, 4), /tensor a cannot be {"dtype":"F99"/],
    ['a negative size', fileOf({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /tensor a cannot be .*"shape":\[-1\]/],
    ['too few bytes for a shape', fileOf({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4), /tensor a cannot be .*"shape":\[2\],"data_offsets":\[0,4\]/],
    ['a hole', fileOf({ a: { dtype: 'I8', shape: [2], data_offsets: [2, 4] } }, 4), /begins at byte 2 instead of 0/],
    [
      'an overlap',
      fileOf({ a: { dtype: 'I8', shape: [2], data_offsets: [0, 2] }, b: { dtype: 'I8', shape: [2], data_offsets: [1, 3] } }, 3),
      /begins at byte 1 instead of 2/,
    ],
    ['bytes that belong to no tensor', fileOf({ a: { dtype: 'I8', shape: [2], data_offsets: [0, 2] } }, 3), /need 2 bytes, the file has 3/],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(bytes)).toMatch(message);
  });
});
