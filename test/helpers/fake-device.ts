import { dequantiseRows } from '../../src/lib/quantised-rows.ts';
import { RecommenderError } from '../../src/errors.ts';
import type { Device, Primitives, Tensor, Workload } from '../../src/compute/device.ts';
import type { DeviceName } from '../../src/types.ts';

class FakeTensor implements Tensor {
  readonly values: Float32Array;
  readonly shape: readonly number[];

  constructor(values: Float32Array, shape: readonly number[]) {
    this.values = values;
    this.shape = shape;
  }
}

export interface FakeDevice extends Device {
  readonly disposed: boolean;
}

export interface FakeBehaviour {
  readonly supports?: readonly Workload[];
  /** Applied to every value that is read back: the kernel's defect. */
  readonly corrupt?: (value: number) => number;
  /** Never answers. */
  readonly hangs?: boolean;
  readonly emulated?: boolean;
}

/** A device that hands inputs back, as well or as badly as it is told. */
export function createFakeDevice(
  name: DeviceName,
  { supports = ['encode', 'sequence', 'score'], corrupt = (value) => value, hangs = false, emulated = false }: FakeBehaviour = {},
): FakeDevice {
  let disposed = false;
  const refuse = (): never => {
    throw new RecommenderError('DEVICE_FAILED', 'A fake device only hands inputs back.');
  };
  const ops: Primitives = {
    input: (values, shape) => new FakeTensor(values, shape),
    linear: refuse,
    addLayerNorm: refuse,
    attention: refuse,
    meanPool: refuse,
    lstm: refuse,
  };
  return {
    name,
    kernel: 'fake',
    supports: new Set(supports),
    emulated,
    get disposed() {
      return disposed;
    },
    upload: (values, shape) => new FakeTensor(values.slice(), shape),
    uploadRows: (rows) => new FakeTensor(dequantiseRows(rows), [rows.scales.length, rows.columns]),
    free: () => undefined,
    run: (program) => {
      if (hangs) return new Promise(() => undefined);
      return Promise.resolve(
        program(ops).map((tensor) => {
          if (!(tensor instanceof FakeTensor)) return refuse();
          return tensor.values.map(corrupt);
        }),
      );
    },
    dispose: () => {
      disposed = true;
    },
  };
}
