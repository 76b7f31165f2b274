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
  /** Uploaded and not freed. */
  readonly held: number;
  /** Tests change it while the device is in service. */
  readonly behaviour: FakeBehaviour;
  /** The device is gone: its runs fail. */
  lose(): void;
}

export interface FakeBehaviour {
  readonly supports?: readonly Workload[];
  readonly kernel?: string;
  /** Applied to every value that is read back: the kernel's defect. */
  corrupt?: (value: number) => number;
  /** Never answers. */
  hangs?: boolean;
  /** Rejects every run. */
  throws?: boolean;
  /** Called by each run, for instance to let a test's own clock go on. */
  onRun?: () => void;
}

/** A device that hands inputs back, as well or as badly as it is told. */
export function createFakeDevice(
  name: DeviceName,
  behaviour: FakeBehaviour = {},
): FakeDevice {
  const { supports = ['encode', 'sequence', 'score'], kernel = 'fake' } = behaviour;
  let disposed = false;
  let failure: RecommenderError | undefined;
  let lose: FakeDevice['lose'] = () => undefined;
  const lost = new Promise<RecommenderError>((resolve) => {
    lose = () => resolve((failure = new RecommenderError('DEVICE_FAILED', 'It was unplugged.')));
  });
  const held = new Set<Tensor>();
  const hold = (tensor: FakeTensor): Tensor => {
    held.add(tensor);
    return tensor;
  };
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
    kernel,
    behaviour,
    lost,
    lose: () => lose(),
    get held() {
      return held.size;
    },
    supports: new Set(supports),
    get disposed() {
      return disposed;
    },
    upload: (values, shape) => hold(new FakeTensor(values.slice(), shape)),
    uploadRows: (rows) => hold(new FakeTensor(dequantiseRows(rows), [rows.scales.length, rows.columns])),
    free: (tensor) => void held.delete(tensor),
    run: (program) => {
      const { corrupt = (value) => value, hangs = false, throws = false, onRun } = behaviour;
      if (failure) return Promise.reject(failure);
      if (throws) return Promise.reject(new RecommenderError('DEVICE_FAILED', 'It refused.'));
      if (hangs) return new Promise(() => undefined);
      onRun?.();
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
