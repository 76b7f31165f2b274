import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VectorTable } from '../../../src/encoder/vector-table.ts';
import { dequantiseRows, quantiseUnitRows } from '../../../src/lib/quantised-rows.ts';

const COLUMNS = 3;
const row = (seed: number): Float32Array => Float32Array.from({ length: COLUMNS }, (_, k) => Math.sin(seed * 7 + k + 1));

describe('the vector table', () => {
  it('keeps what a map of the most recently used would keep', () => {
    const step = fc.record({ key: fc.nat(20).map(String), seed: fc.nat(1000), writes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 12 }), (steps, capacity) => {
        const table = new VectorTable(COLUMNS, capacity);
        const model = new Map<string, Float32Array>();
        for (const { key, seed, writes } of steps) {
          const kept = model.get(key);
          if (writes) {
            const rows = quantiseUnitRows(row(seed), COLUMNS);
            table.set([key], rows);
            if (!kept && model.size === capacity) model.delete(model.keys().next().value!);
            model.delete(key);
            model.set(key, dequantiseRows(rows));
          } else {
            expect(table.get([key])[0]).toEqual(kept);
            if (kept) {
              model.delete(key);
              model.set(key, kept);
            }
          }
        }
        expect([...table.keys()]).toEqual([...model.keys()]);
        expect(dequantiseRows(table.rowsOf([...model.keys()]))).toEqual(Float32Array.from([...model.values()].flatMap((vector) => [...vector])));
      }),
    );
  });
});

describe('int8 rows of unit length', () => {
  it('point where the vector points, and have length 1', () => {
    const vector = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 384, maxLength: 384 }).filter((values) => Math.hypot(...values) > 1e-3);
    fc.assert(
      fc.property(vector, (values) => {
        const rounded = dequantiseRows(quantiseUnitRows(Float32Array.from(values), 384));
        expect(Math.hypot(...rounded)).toBeCloseTo(1, 5);
        const cosine = rounded.reduce((sum, value, k) => sum + value * values[k]!, 0) / Math.hypot(...values);
        expect(cosine).toBeGreaterThan(0.99);
      }),
    );
  });

  it('leaves zeros zeros', () => {
    expect(quantiseUnitRows(new Float32Array(4), 2)).toEqual({ values: new Int8Array(4), scales: new Float32Array(2), columns: 2 });
  });
});
