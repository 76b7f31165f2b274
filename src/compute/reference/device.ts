import { RecommenderError } from '../../errors.ts';
import { dequantiseRows } from '../../lib/quantised-rows.ts';
import type { Device, Primitives, Tensor } from '../device.ts';
import { referencePrimitives } from './primitives.ts';
import { ReferenceTensor } from './tensor.ts';

/** The device in plain TypeScript: the oracle of the others, and the last resort where none of them starts. */
export function createReferenceDevice(): Device {
  return {
    name: 'reference',
    kernel: 'float64-sums',
    supports: new Set(['encode', 'sequence', 'score'] as const),
    upload: (values, shape) => new ReferenceTensor(shape, values.slice()),
    uploadRows: (rows) => new ReferenceTensor([rows.scales.length, rows.columns], dequantiseRows(rows)),
    free() {
      // Memory here belongs to the garbage collector.
    },
    run: (program) =>
      // At once, not in a microtask: the caller may reuse its arrays after this call.
      new Promise((resolve) => {
        resolve(execute(program));
      }),
    dispose() {
      // As for free().
    },
  };
}

function execute(program: (ops: Primitives) => readonly Tensor[]): Float32Array[] {
  try {
    return program(referencePrimitives).map((tensor) => ReferenceTensor.valuesOf(tensor).slice());
  } catch (error) {
    throw RecommenderError.from(error, 'DEVICE_FAILED');
  }
}
