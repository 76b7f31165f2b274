import { describe, expect, it, vi } from 'vitest';
import { chooseDevices, type DroppedDevice } from '../../../src/compute/choose.ts';
import type { Device, Workload } from '../../../src/compute/device.ts';
import { RecommenderError } from '../../../src/errors.ts';
import type { GoldenCase } from '../../../src/compute/self-test.ts';
import type { DeviceName } from '../../../src/types.ts';
import { createFakeDevice, type FakeBehaviour, type FakeDevice } from '../../helpers/fake-device.ts';

const GOLDEN = Float32Array.of(0.02, 1);
const WORKLOADS: readonly Workload[] = ['encode', 'sequence', 'score'];

/** Each workload's golden vectors: what goes in must come out. */
const cases: readonly GoldenCase[] = WORKLOADS.map((workload) => ({
  workload,
  run: async (device: Device) => (await device.run((ops) => [ops.input(GOLDEN, [2])]))[0]!,
  expected: GOLDEN,
}));

function setUp(behaviours: Partial<Record<DeviceName, FakeBehaviour | Error>>) {
  const made: FakeDevice[] = [];
  const dropped: DroppedDevice[] = [];
  const create: Partial<Record<DeviceName, () => Promise<Device>>> = {};
  for (const name of ['webgpu', 'wasm', 'reference'] as const) {
    const behaviour = behaviours[name];
    if (behaviour === undefined) continue;
    create[name] = () => {
      if (behaviour instanceof Error) return Promise.reject(behaviour);
      const device = createFakeDevice(name, behaviour);
      made.push(device);
      return Promise.resolve(device);
    };
  }
  return { made, dropped, create, cases, onDropped: (drop: DroppedDevice) => dropped.push(drop) };
}

const allGood = { webgpu: { supports: ['sequence', 'score'] }, wasm: {}, reference: {} } satisfies Partial<Record<DeviceName, FakeBehaviour>>;
const wrong: FakeBehaviour = { corrupt: (value) => (value === GOLDEN[0] ? 0.13 : value) };

describe('chooseDevices', () => {
  it('prefers WebGPU per workload, and makes no device that is not needed', async () => {
    const setup = setUp(allGood);
    const chosen = await chooseDevices({ choice: 'auto', ...setup });
    expect(chosen.sequence).toMatchObject({ device: { name: 'webgpu' }, why: 'webgpu: passed golden vectors' });
    expect(chosen.score.device).toBe(chosen.sequence.device);
    expect(chosen.encode).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: webgpu does not encode yet' });
    expect(setup.made.map(({ name }) => name)).toEqual(['webgpu', 'wasm']);
    expect(setup.made.map(({ disposed }) => disposed)).toEqual([false, false]);
    expect(setup.dropped).toEqual([]);
  });

  it('drops a device with a wrong kernel', async () => {
    const setup = setUp({ webgpu: wrong, wasm: wrong, reference: {} });
    const chosen = await chooseDevices({ choice: 'auto', ...setup });
    const reason = 'gave 0.13 instead of 0.02 on golden vector 1';
    for (const workload of WORKLOADS) {
      expect(chosen[workload]).toMatchObject({ device: { name: 'reference' }, why: `reference: webgpu ${reason}; wasm ${reason}` });
    }
    expect(setup.made.map(({ disposed }) => disposed)).toEqual([true, true, false]);
    expect(setup.dropped).toContainEqual({ device: 'webgpu', workload: 'score', reason });
    expect(setup.dropped).toHaveLength(6);
  });

  it('drops a device that hangs for every workload, after one wait', async () => {
    const setup = setUp({ ...allGood, webgpu: { hangs: true } });
    const chosen = await chooseDevices({ choice: 'auto', timeoutMs: 250, ...setup });
    const reason = 'did not answer golden vector 1 within 250 ms';
    expect(setup.dropped).toEqual([{ device: 'webgpu', workload: null, reason }]);
    expect(chosen.score).toMatchObject({ device: { name: 'wasm' }, why: `wasm: webgpu ${reason}` });
    expect(setup.made[0]!.disposed).toBe(true);
  });

  it('drops a device that does not start, or too late, and disposes it when it comes', async () => {
    const late = createFakeDevice('wasm');
    let arrive: (device: Device) => void = () => undefined;
    const setup = setUp({ webgpu: new RecommenderError('DEVICE_FAILED', 'no adapter.'), reference: {} });
    const create = { ...setup.create, wasm: () => new Promise<Device>((resolve) => (arrive = resolve)) };
    const chosen = await chooseDevices({ choice: 'auto', timeoutMs: 250, ...setup, create });
    const why = 'reference: webgpu did not start: no adapter; wasm did not start within 250 ms';
    expect(chosen.score.why).toBe(why);
    expect(setup.dropped).toEqual([]);
    arrive(late);
    await vi.waitFor(() => expect(late.disposed).toBe(true));
  });

  it('reports a forced device that does not start', async () => {
    const setup = setUp({ webgpu: new Error('no adapter'), wasm: {} });
    expect((await chooseDevices({ choice: 'webgpu', ...setup })).score.why).toBe('wasm: webgpu did not start: no adapter');
    expect(setup.dropped).toEqual([{ device: 'webgpu', workload: null, reason: 'did not start: no adapter' }]);
  });

  it('serves a forced choice where it can, and the next elsewhere', async () => {
    const forcedWebgpu = await chooseDevices({ choice: 'webgpu', ...setUp(allGood) });
    expect(forcedWebgpu.score.why).toBe('webgpu: asked for, passed golden vectors');
    expect(forcedWebgpu.encode.why).toBe('wasm: webgpu does not encode yet');

    const forcedWasm = setUp(allGood);
    expect((await chooseDevices({ choice: 'wasm', ...forcedWasm })).score.why).toBe('wasm: asked for, passed golden vectors');
    expect(forcedWasm.made.map(({ name }) => name)).toEqual(['wasm']);

    const forcedReference = await chooseDevices({ choice: 'reference', ...setUp(allGood) });
    expect(forcedReference.encode.device.name).toBe('reference');
  });

  it('leaves a GPU that is imitated on the CPU, unless it is asked for', async () => {
    const behaviours = { ...allGood, webgpu: { ...allGood.webgpu, emulated: true } };
    const setup = setUp(behaviours);
    const chosen = await chooseDevices({ choice: 'auto', ...setup });
    expect(chosen.score).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: webgpu has only a software adapter here' });
    expect(setup.made[0]!.disposed).toBe(true);
    expect(setup.dropped).toEqual([]);
    expect((await chooseDevices({ choice: 'webgpu', ...setUp(behaviours) })).score.device.name).toBe('webgpu');
  });

  it('passes over a device that is not offered, and says when nothing was checked', async () => {
    const chosen = await chooseDevices({ choice: 'auto', ...setUp({ wasm: {} }), cases: [] });
    expect(chosen.score.why).toBe('wasm: webgpu is not offered here');
    const unchecked = await chooseDevices({ choice: 'wasm', ...setUp({ wasm: {} }), cases: [] });
    expect(unchecked.score.why).toBe('wasm: asked for, no golden vectors to pass');
  });

  it('fails when some workload has no device, and leaves none open', async () => {
    const setup = setUp({ webgpu: allGood.webgpu, wasm: wrong, reference: wrong });
    await expect(chooseDevices({ choice: 'auto', ...setup })).rejects.toMatchObject({
      code: 'DEVICE_FAILED',
      message: expect.stringContaining('No device can encode: webgpu does not encode yet; wasm gave 0.13 instead of 0.02') as string,
    });
    expect(setup.made.every(({ disposed }) => disposed)).toBe(true);
  });
});
