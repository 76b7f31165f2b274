import { describe, expect, it } from 'vitest';
import type { Device } from '../../../src/compute/device.ts';
import { checkDevice, type GoldenCase } from '../../../src/compute/self-test.ts';
import { createFakeDevice } from '../../helpers/fake-device.ts';

const device = createFakeDevice('webgpu');

function answering(run: (device: Device) => Promise<Float32Array>, expected = [0.5, -2, 0.02]): GoldenCase {
  return { workload: 'score', run, expected: Float32Array.from(expected) };
}

function gives(...values: number[]): GoldenCase {
  return answering(() => Promise.resolve(Float32Array.from(values)));
}

describe('checkDevice', () => {
  it('accepts answers within the tolerance of the largest expected magnitude', async () => {
    expect(await checkDevice(device, [gives(0.5, -2, 0.0219), gives(0.5019, -2, 0.02)])).toEqual({ ok: true });
  });

  it('hands the device to each case', async () => {
    const golden = answering(async (given) => (await given.run((ops) => [ops.input(new Float32Array([3]), [1])]))[0]!, [3]);
    expect(await checkDevice(device, [golden])).toEqual({ ok: true });
  });

  it.each([
    ['a wrong value', gives(0.5, -2, 0.13), 'gave 0.13 instead of 0.02 on golden vector 2'],
    ['NaN', gives(Number.NaN, -2, 0.02), 'gave NaN instead of 0.5 on golden vector 2'],
    ['infinity', gives(0.5, Number.NEGATIVE_INFINITY, 0.02), 'gave -Infinity instead of -2 on golden vector 2'],
    ['missing values', gives(0.5), 'gave 1 values instead of 3 on golden vector 2'],
    ['no values', gives(), 'gave 0 values instead of 3 on golden vector 2'],
    ['a rejection', answering(() => Promise.reject(new Error('device lost'))), 'failed on golden vector 2: device lost'],
  ])('refuses %s, and says so', async (_, golden, reason) => {
    expect(await checkDevice(device, [gives(0.5, -2, 0.02), golden])).toEqual({ ok: false, reason, late: false });
  });

  it('refuses a case that throws before it returns a promise', async () => {
    const golden = answering(() => {
      throw new Error('no adapter');
    });
    expect(await checkDevice(device, [golden])).toMatchObject({ reason: 'failed on golden vector 1: no adapter' });
  });

  it('refuses a device that never answers', async () => {
    const golden = answering(() => new Promise<Float32Array>(() => undefined));
    const reason = 'did not answer golden vector 1 within 20 ms';
    expect(await checkDevice(device, [golden], { timeoutMs: 20 })).toEqual({ ok: false, reason, late: true });
  });

  it('refuses a device that blocks the thread beyond the time', async () => {
    const golden = answering(() => {
      const start = performance.now();
      while (performance.now() - start < 30);
      return Promise.resolve(Float32Array.of(0.5, -2, 0.02));
    });
    expect(await checkDevice(device, [golden], { timeoutMs: 20 })).toMatchObject({ ok: false, late: true });
  });

  it('compares zeros absolutely', async () => {
    const zeros = answering(() => Promise.resolve(Float32Array.of(0.01, 0)), [0, 0]);
    expect(await checkDevice(device, [zeros])).toMatchObject({ ok: false });
  });

  describe('of a coarse kernel', () => {
    const near: GoldenCase = { ...answering(() => Promise.resolve(Float32Array.of(0.61, 0.79, 1, 0.01)), [0.6, 0.8, 1, 0]), vectorLength: 2 };
    const turned: GoldenCase = { ...answering(() => Promise.resolve(Float32Array.of(0.6, 0.8, 0.98, 0.2)), [0.6, 0.8, 1, 0]), vectorLength: 2 };
    const long: GoldenCase = { ...answering(() => Promise.resolve(Float32Array.of(0.6, 0.8, 2, 0)), [0.6, 0.8, 1, 0]), vectorLength: 2 };

    it('judges vectors by their direction, each by itself', async () => {
      const int8 = createFakeDevice('wasm', { kernel: 'int8-relaxed' });
      expect(await checkDevice(int8, [near])).toEqual({ ok: true });
      expect(await checkDevice(int8, [turned])).toMatchObject({ reason: "gave a vector of cosine 0.9798 to the trained model's on golden vector 1" });
      expect(await checkDevice(int8, [long, gives(NaN)])).toMatchObject({ ok: false });
      expect(await checkDevice(int8, [{ ...near, run: () => Promise.resolve(new Float32Array(4).fill(NaN)) }])).toMatchObject({ ok: false });
    });

    it('grants that to no other kernel, and to no values', async () => {
      expect(await checkDevice(device, [near])).toMatchObject({ reason: 'gave 0.61 instead of 0.6 on golden vector 1' });
      const f16 = createFakeDevice('webgpu', { kernel: 'wgsl-f16' });
      expect(await checkDevice(f16, [gives(0.51, -2, 0.02)])).toMatchObject({ ok: false });
    });
  });
});
