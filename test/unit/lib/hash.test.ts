import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsKey, contentKey, sha256Hex } from '../../../src/lib/hash.ts';

describe('sha256Hex', () => {
  it('agrees with FIPS 180-2, appendix B.1', async () => {
    const digest = await sha256Hex(new TextEncoder().encode('abc'));
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('contentKey', () => {
  it('gives 16 hex digits, the same every time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)), (text) => {
        expect(contentKey(text)).toMatch(/^[0-9a-f]{16}$/);
        expect(contentKey(text)).toBe(contentKey(text));
      }),
    );
  });

  it('keeps 100,000 alike titles apart, in each half of the key nearly so', () => {
    const keys = new Set<string>();
    const halves = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      const key = contentKey(`SET OF ${i % 500} CERAMIC T-LIGHT HOLDERS ${Math.floor(i / 500)}`);
      keys.add(key);
      halves.add(key.slice(0, 8));
    }
    expect(keys.size).toBe(100_000);
    // 100,000 values of 32 bits meet 1.2 times on average.
    expect(100_000 - halves.size).toBeLessThan(12);
  });
});

describe('columnsKey', () => {
  it('tells values, types, lengths and places apart, and not where an array lies', () => {
    const columns: (string | ArrayBufferView)[][] = [
      [], [''], ['', ''], ['ab'], ['a', 'b'], ['ba'],
      [Int32Array.of(1)], [Float32Array.of(1)], [Uint8Array.of(1)], [Uint8Array.of(1, 0, 0, 0, 0)], [Int32Array.of(1, 0)], [Int32Array.of(0, 1)],
      [Int32Array.of(1), Int32Array.of(0)], [Float64Array.of(1)], [Float64Array.of(-1)], [Float64Array.of(NaN)],
    ];
    const keys = columns.map(columnsKey);
    expect(new Set(keys).size).toBe(columns.length);
    expect(columnsKey([Uint8Array.of(9, 1, 0, 0, 0, 0).subarray(1)])).toBe(columnsKey([Uint8Array.of(1, 0, 0, 0, 0)]));
    expect(keys.every((key) => /^[0-9a-f]{16}$/.test(key))).toBe(true);
  });

  it('changes with any one row of many', () => {
    const rows = Int32Array.from({ length: 20_000 }, (_, row) => row % 7);
    const keys = new Set([columnsKey([rows])]);
    for (let row = 0; row < rows.length; row += 97) {
      rows[row]! += 1;
      keys.add(columnsKey([rows]));
      rows[row]! -= 1;
    }
    expect(keys.size).toBe(1 + Math.ceil(rows.length / 97));
  });
});
