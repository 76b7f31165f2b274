import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Device, Tensor } from '../../../src/compute/device.ts';
import { createWasmDevice } from '../../../src/compute/wasm/device.ts';
import { Arena, WasmHeap } from '../../../src/compute/wasm/heap.ts';
import type { QuantisedRows } from '../../../src/lib/quantised-rows.ts';
import { seededValues } from './numbers.ts';

const failed = expect.objectContaining({ name: 'RecommenderError', code: 'DEVICE_FAILED' }) as unknown;

describe('createWasmDevice', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('refuses where the page’s policy forbids WebAssembly', async () => {
    vi.spyOn(WebAssembly, 'instantiate').mockRejectedValue(new WebAssembly.CompileError('blocked by policy'));
    await expect(createWasmDevice()).rejects.toEqual(failed);
  });

  it('takes int8 where relaxed SIMD is understood, plain SIMD where it is not', async () => {
    expect((await createWasmDevice()).kernel).toBe('int8-relaxed');
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect((await createWasmDevice()).kernel).toBe('f32-simd');
  });

  it('refuses where WebAssembly is missing', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    await expect(createWasmDevice()).rejects.toEqual(failed);
    vi.unstubAllGlobals();
  });
});

describe.each(['int8-relaxed', 'f32-relaxed', 'f32-simd'] as const)('a wasm device of %s', (kernel) => {
  const createDevice = (): Promise<Device> => createWasmDevice({ kernel });

  it('names its arithmetic', async () => {
    expect((await createDevice()).kernel).toBe(kernel);
  });

  it('keeps weights across growing memory and many runs', async () => {
    const device = await createDevice();
    const make = seededValues(1);
    const values = make(64 * 64);
    const weight = device.upload(values, [64, 64]);
    const x = make(3 * 64);
    const product = (): Promise<Float32Array[]> => device.run((ops) => [ops.linear(ops.input(x, [3, 64]), weight, null)]);
    const [before] = await product();
    const big = device.upload(new Float32Array(4_000_000).fill(1), [1000, 4000]);
    await device.run((ops) => [ops.linear(ops.input(new Float32Array(100 * 4000), [100, 4000]), big, null)]);
    expect(await product()).toEqual([before]);
    device.free(big);
    expect(await product()).toEqual([before]);
  });

  // The gates of 400 sequences do not fit at once.
  it.each([1, 400])('gives the same bits for %i sequences in one call and step by step', async (batch) => {
    const device = await createDevice();
    const make = seededValues(2);
    const [steps, input, hidden] = [9, 11, 20];
    const weights = {
      inputWeights: device.upload(make(4 * hidden * input), [4 * hidden, input]),
      hiddenWeights: device.upload(make(4 * hidden * hidden), [4 * hidden, hidden]),
      bias: device.upload(make(4 * hidden), [4 * hidden]),
    };
    const x = make(steps * batch * input);
    const start = make(2 * batch * hidden);
    const advance = async (state: Float32Array, from: number, to: number): Promise<Float32Array> => {
      const [after] = await device.run((ops) => [
        ops.lstm(ops.input(x.subarray(from * batch * input, to * batch * input), [to - from, batch, input]), weights, ops.input(state, [2, batch, hidden])),
      ]);
      return after!;
    };
    let state = start;
    for (let step = 0; step < steps; step += 1) state = await advance(state, step, step + 1);
    expect(state).toEqual(await advance(start, 0, steps));
  });

  it.each(['float32', 'int8'])('gives a row the same bits, whatever stands beside it: %s weights', async (type) => {
    const device = await createDevice();
    const make = seededValues(3);
    const weight = type === 'int8' ? device.uploadRows(quantisedRows(make, 45, 30)) : device.upload(make(45 * 30), [45, 30]);
    const x = make(7 * 30);
    const [together] = await device.run((ops) => [ops.linear(ops.input(x, [7, 30]), weight, null, 'gelu')]);
    for (let row = 0; row < 7; row += 1) {
      const [alone] = await device.run((ops) => [
        ops.linear(ops.input(x.subarray(row * 30, (row + 1) * 30), [1, 30]), weight, null, 'gelu'),
      ]);
      expect(alone).toEqual(together!.subarray(row * 45, (row + 1) * 45));
    }
  });

  it('allocates nothing in 1,000 runs of any size, once it has seen the largest', async () => {
    const device = await createDevice();
    const make = seededValues(4);
    const hidden = 32;
    const matrix = device.uploadRows(quantisedRows(make, 3 * hidden, hidden));
    const weights = {
      inputWeights: device.upload(make(4 * hidden * hidden), [4 * hidden, hidden]),
      hiddenWeights: device.upload(make(4 * hidden * hidden), [4 * hidden, hidden]),
      bias: device.upload(make(4 * hidden), [4 * hidden]),
    };
    const x = make(300 * hidden);
    const run = (rows: number): Promise<Float32Array[]> =>
      device.run((ops) => {
        const qkv = ops.linear(ops.input(x.subarray(0, rows * hidden), [rows, hidden]), matrix, null, 'gelu');
        const mixed = ops.attention(qkv, [rows - 1, 1], 2);
        const steps = ops.input(x.subarray(0, rows * hidden), [rows, 1, hidden]);
        return [ops.meanPool(mixed, [rows]), ops.lstm(steps, weights, ops.input(x.subarray(0, 2 * hidden), [2, 1, hidden]))];
      });
    for (let warmUp = 0; warmUp < 2; warmUp += 1) await run(300);
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    for (let i = 0; i < 1000; i += 1) await run(1 + ((i * 37) % 300));
    expect(grow).not.toHaveBeenCalled();
    device.upload(new Float32Array(2_000_000), [2_000_000]);
    expect(grow).toHaveBeenCalled(); // It would have been seen.
    vi.restoreAllMocks();
  });

  it('names wrong shapes, foreign tensors and tensors whose run has ended', async () => {
    const device = await createDevice();
    const other = await createDevice();
    let leaked: Tensor | undefined;
    await device.run((ops) => [leaked = ops.input(new Float32Array(4), [2, 2])]);
    const multiply = (target: Device, weight: Tensor): Promise<Float32Array[]> =>
      target.run((ops) => [ops.linear(ops.input(new Float32Array(4), [2, 2]), weight, null)]);
    await expect(multiply(device, leaked!)).rejects.toEqual(failed);
    await expect(multiply(device, { shape: [2, 2] })).rejects.toEqual(failed);
    await expect(multiply(device, device.upload(new Float32Array(3), [1, 3]))).rejects.toThrow('weight is [1, 3] instead of [any, 2]');
    expect(() => device.upload(new Float32Array(3), [2, 2])).toThrow('3 values do not fill');
    other.dispose();
    await expect(multiply(other, leaked!)).rejects.toEqual(failed);
    const attend = device.run((ops) => [ops.attention(ops.input(new Float32Array(24), [2, 12]), [2], 3)]);
    await expect(attend).rejects.toThrow('12 columns does not divide');
    const pool = device.run((ops) => [ops.meanPool(ops.input(new Float32Array(4), [2, 2]), [1])]);
    await expect(pool).rejects.toThrow('lengths sum to 1 instead of 2');
    const matrix = device.uploadRows(quantisedRows(seededValues(5), 2, 2));
    const onTheLeft = device.run((ops) => [ops.linear(matrix, ops.input(new Float32Array(4), [2, 2]), null)]);
    await expect(onTheLeft).rejects.toThrow('can only be the weight of linear()');
    const freed = device.upload(new Float32Array(4), [2, 2]);
    device.free(freed);
    await expect(multiply(device, freed)).rejects.toEqual(failed);
  });

  it('works on after a program that threw', async () => {
    const device = await createDevice();
    await expect(device.run(() => { throw new Error('mistake'); })).rejects.toMatchObject({ code: 'DEVICE_FAILED', cause: { message: 'mistake' } });
    expect(await device.run((ops) => [ops.input(Float32Array.of(1, 2), [2])])).toEqual([Float32Array.of(1, 2)]);
  });
});

function quantisedRows(make: (length: number, scale?: number) => Float32Array, rows: number, columns: number): QuantisedRows {
  return { values: Int8Array.from(make(rows * columns, 127)), scales: make(rows, 0.01), columns };
}

describe('WasmHeap', () => {
  it('reuses freed blocks, merges neighbours and grows only when it must', () => {
    const heap = new WasmHeap();
    heap.start(100);
    const blocks = [1, 64, 65].map((bytes) => heap.allocate(bytes));
    expect(blocks).toEqual([128, 192, 256]);
    heap.free(128);
    heap.free(192);
    expect(heap.allocate(128)).toBe(128);
    expect(heap.memory.buffer.byteLength).toBe(65_536);
    heap.allocate(65_536);
    expect(heap.memory.buffer.byteLength).toBe(131_072);
    expect(heap.floats.byteLength).toBe(131_072);
  });

  it('gives its end back, so that a larger block begins where the last one did', () => {
    const heap = new WasmHeap();
    const [first, last] = [heap.allocate(64), heap.allocate(1000)];
    heap.free(last);
    expect(heap.allocate(60_000)).toBe(last);
    heap.free(last);
    heap.free(first);
    expect(heap.allocate(65_536)).toBe(first);
    expect(heap.memory.buffer.byteLength).toBe(65_536);
  });

  it('refuses more than its maximum', () => {
    const heap = new WasmHeap();
    expect(() => heap.allocate(2 ** 31)).toThrow(failed);
  });

  it('gives an arena that stops allocating once it has seen the largest run', () => {
    const heap = new WasmHeap();
    const arena = new Arena(heap);
    const run = (): number[] => {
      const addresses = [100_000, 50_000, 200_000].map((bytes) => arena.allocate(bytes));
      arena.reset();
      return addresses;
    };
    run();
    const warm = run();
    const bytes = heap.memory.buffer.byteLength;
    expect(run()).toEqual(warm);
    expect(heap.memory.buffer.byteLength).toBe(bytes);
    expect(warm[1]! - warm[0]!).toBe(100_032); // One block after another, on cache lines.
    expect(heap.allocate(64)).toBe(warm[2]! + 200_000); // No more than the run needed.
  });
});
