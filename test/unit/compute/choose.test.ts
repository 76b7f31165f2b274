import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

const PATIENT = { timeout: 30_000 };

/** One run, as a model would ask for it. */
async function ask(device: Device, value = 7): Promise<number> {
  return (await device.run((ops) => [ops.input(Float32Array.of(value), [1])]))[0]![0]!;
}

function setUp(behaviours: Partial<Record<DeviceName, FakeBehaviour | Error>>) {
  const made: FakeDevice[] = [];
  const dropped: DroppedDevice[] = [];
  const create: Partial<Record<DeviceName, () => Promise<Device>>> = {};
  for (const name of ['webgpu', 'wasm', 'reference'] as const) {
    const behaviour = behaviours[name];
    if (behaviour === undefined) continue;
    create[name] = () => {
      if (behaviour instanceof Error) return Promise.reject(behaviour);
      const device = createFakeDevice(name, { ...behaviour });
      made.push(device);
      return Promise.resolve(device);
    };
  }
  return { made, dropped, create, cases, onDropped: (drop: DroppedDevice) => dropped.push(drop) };
}

const allGood = { webgpu: { supports: ['sequence', 'score'] }, wasm: {}, reference: {} } satisfies Partial<Record<DeviceName, FakeBehaviour>>;
const wrong: FakeBehaviour = { corrupt: (value) => (value === GOLDEN[0] ? 0.13 : value) };

describe('chooseDevices', () => {
  it('lets the first answer wait for no GPU, and makes no device that is not needed', async () => {
    const setup = setUp(allGood);
    const chosen = await chooseDevices({ choice: 'auto', ...setup });
    for (const workload of WORKLOADS) expect(chosen[workload]).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: passed golden vectors' });
    expect(setup.made.map(({ name, disposed }) => [name, disposed])).toEqual([['wasm', false]]);
    expect(setup.dropped).toEqual([]);
    chosen.dispose();
    expect(setup.made[0]!.disposed).toBe(true);
  });

  it('chooses one workload anew when its golden cases arrive', async () => {
    const late = [...cases];
    const setup = setUp({ wasm: wrong, reference: {} });
    const arriving = late.splice(0, late.length);
    const chosen = await chooseDevices({ choice: 'wasm', ...setup, cases: late });
    expect(chosen.encode).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: asked for, no golden vectors to pass' });
    late.push(...arriving);
    await chosen.chooseAgain('encode');
    expect(chosen.encode).toMatchObject({ device: { name: 'reference' }, why: 'reference: wasm gave 0.13 instead of 0.02 on golden vector 1' });
    expect(chosen.score.device.name).toBe('wasm');
    chosen.dispose();
  });

  it('takes the next way of making a device where the first gives wrong golden vectors', async () => {
    const setup = setUp({});
    const kernels = [{ ...wrong, kernel: 'f16' }, { kernel: 'f32' }].map((behaviour) => createFakeDevice('webgpu', behaviour));
    const create = { webgpu: kernels.map((device) => () => Promise.resolve<Device>(device)) };
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup, create });
    expect(chosen.score.device.kernel).toBe('f32');
    expect(chosen.score.why).toBe('webgpu: webgpu gave 0.13 instead of 0.02 on golden vector 1');
    expect(kernels.map(({ disposed }) => disposed)).toEqual([true, false]);
  });

  it('drops a device with a wrong kernel', async () => {
    const setup = setUp({ webgpu: wrong, wasm: wrong, reference: {} });
    const chosen = await chooseDevices({ choice: 'auto', ...setup });
    const reason = 'gave 0.13 instead of 0.02 on golden vector 1';
    for (const workload of WORKLOADS) {
      expect(chosen[workload]).toMatchObject({ device: { name: 'reference' }, why: `reference: wasm ${reason}; webgpu ${reason}` });
    }
    expect(setup.made.map(({ disposed }) => disposed)).toEqual([true, true, false]);
    expect(setup.dropped).toContainEqual({ device: 'webgpu', workload: 'score', reason });
    expect(setup.dropped).toHaveLength(6);
  });

  it('drops a device that hangs for every workload, after one wait', async () => {
    const setup = setUp({ ...allGood, webgpu: { hangs: true } });
    const chosen = await chooseDevices({ choice: 'webgpu', timeoutMs: 25, ...setup });
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
    const why = 'reference: wasm did not start within 250 ms; webgpu did not start: no adapter';
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

  it('asks for no GPU that is imitated on the CPU, unless it is the one asked for', async () => {
    const setup = setUp(allGood);
    const webgpu = ({ software }: { software: boolean }): Promise<Device> => (software ? setup.create.webgpu!() : Promise.reject(new Error('only a software GPU')));
    const create = { ...setup.create, webgpu: [webgpu, webgpu] };
    const chosen = await chooseDevices({ choice: 'auto', ...setup, create });
    await ask(chosen.score.device);
    await vi.waitFor(() => expect(chosen.score).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: webgpu did not start: only a software GPU' }), PATIENT);
    expect(setup.made.map(({ name }) => name)).toEqual(['wasm']);
    expect(setup.dropped).toEqual([]);
    expect((await chooseDevices({ choice: 'webgpu', ...setup, create })).score.device.name).toBe('webgpu');
  });

  it('says nothing of a way that does not start where the next one does', async () => {
    const setup = setUp(allGood);
    const create = { ...setup.create, webgpu: [() => Promise.reject(new Error('no shader-f16')), setup.create.webgpu!] };
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup, create });
    expect(chosen.score).toMatchObject({ device: { name: 'webgpu' }, why: 'webgpu: asked for, passed golden vectors' });
    expect(setup.dropped).toEqual([]);
  });

  it('passes over a device that is not offered, and says when nothing was checked', async () => {
    const chosen = await chooseDevices({ choice: 'webgpu', ...setUp({ wasm: {} }), cases: [] });
    expect(chosen.score.why).toBe('wasm: webgpu did not start: it is not offered here');
    const unchecked = await chooseDevices({ choice: 'wasm', ...setUp({ wasm: {} }), cases: [] });
    expect(unchecked.score.why).toBe('wasm: asked for, no golden vectors to pass');
  });

  it('fails when some workload has no device, and leaves none open', async () => {
    const setup = setUp({ webgpu: allGood.webgpu, wasm: wrong, reference: wrong });
    await expect(chooseDevices({ choice: 'webgpu', ...setup })).rejects.toMatchObject({
      code: 'DEVICE_FAILED',
      message: expect.stringContaining('No device can encode: webgpu does not encode yet; wasm gave 0.13 instead of 0.02') as string,
    });
    expect(setup.made.every(({ disposed }) => disposed)).toBe(true);
  });
});

describe('the race in idle time', () => {
  const memory = (stored?: unknown): { stored: unknown; read(): Promise<unknown>; write(results: unknown): Promise<void> } => ({
    stored,
    read() {
      return Promise.resolve(this.stored);
    },
    write(results) {
      this.stored = results;
      return Promise.resolve();
    },
  });

  afterEach(() => vi.restoreAllMocks());

  it.each([
    ['webgpu', 'a faster WebGPU takes over', { webgpu: 3, wasm: 9 }],
    ['webgpu', 'WebGPU may be a little slower', { webgpu: 6.5, wasm: 6 }],
    ['wasm', 'WebGPU is left where it loses by more than 10 %', { webgpu: 6.7, wasm: 6 }],
  ] as const)('%s: %s; the next page does not race', async (winner, _, runMs) => {
    // Only runs take time: how much is no matter of what else this machine does.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const taking = (milliseconds: number): FakeBehaviour => ({ onRun: () => (now += milliseconds) });
    const behaviours = { webgpu: taking(runMs.webgpu), wasm: taking(runMs.wasm) };
    const store = memory();
    const setup = setUp(behaviours);
    const chosen = await chooseDevices({ choice: 'auto', ...setup, memory: store });
    const weight = chosen.score.device.upload(Float32Array.of(5), [1]);
    expect(await chosen.score.device.run(() => [weight])).toEqual([Float32Array.of(5)]);
    expect(chosen.score.device.name).toBe('wasm');
    const loser = winner === 'wasm' ? 'webgpu' : 'wasm';
    await vi.waitFor(() => expect(chosen.score.why).toBe(`${winner}: ${runMs[winner]} ms against ${loser}'s ${runMs[loser]} for the last 1 runs`), PATIENT);
    expect(chosen.score.device.name).toBe(winner);
    expect(await chosen.score.device.run(() => [weight])).toEqual([Float32Array.of(5)]);
    // Its weight is on the winner alone, and who serves nobody is gone.
    expect(setup.made.map(({ name, held }) => [name, held])).toEqual([
      ['wasm', winner === 'wasm' ? 1 : 0],
      ['webgpu', winner === 'webgpu' ? 1 : 0],
    ]);
    if (winner === 'wasm') await vi.waitFor(() => expect(setup.made[1]!.disposed).toBe(true), PATIENT);
    chosen.dispose();

    const next = setUp(behaviours);
    const again = await chooseDevices({ choice: 'auto', ...next, memory: store });
    expect(again.score).toMatchObject({ device: { name: winner }, why: expect.stringMatching(/, on an earlier page$/) as unknown });
    again.dispose();
    // Another kernel has not been raced yet.
    const other = await chooseDevices({ choice: 'auto', ...setUp({ webgpu: { kernel: 'new' }, wasm: { kernel: 'new' } }), memory: store });
    expect(other.score.why).toBe(`${winner}: passed golden vectors`);
    other.dispose();
  });

  it.each([[null], ['x'], [7], [[]], [{ score: null }], [{ score: { device: 3 } }]])('takes %j in the memory for nothing', async (stored) => {
    const chosen = await chooseDevices({ choice: 'auto', ...setUp(allGood), memory: memory(stored) });
    expect(chosen.score.why).toBe('wasm: passed golden vectors');
    chosen.dispose();
  });

  it('does not wait for a memory that does not answer', async () => {
    const chosen = await chooseDevices({ choice: 'auto', ...setUp(allGood), memory: { read: () => new Promise(() => undefined), write: () => Promise.resolve() } });
    expect(chosen.score.device.name).toBe('wasm');
    chosen.dispose();
  });
});

describe('in service', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  const faults: Record<string, [FakeBehaviour, string, Workload | null]> = {
    throws: [{ throws: true }, 'failed: It refused', 'score'],
    'gives NaN': [{ corrupt: () => NaN }, 'gave values that are not finite', 'score'],
    'gives infinity': [{ corrupt: () => -Infinity }, 'gave values that are not finite', 'score'],
    'does not answer': [{ hangs: true }, 'did not answer within', null],
  };

  it.each(Object.entries(faults))('a device that %s: the same request is answered by the next, and it comes back', async (_, [fault, reason, workload]) => {
    const setup = setUp(allGood);
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup });
    const weight = chosen.score.device.upload(Float32Array.of(5), [1]);
    await chosen.score.device.run(() => [weight]);
    const [gpu] = setup.made;
    Object.assign(gpu!.behaviour, fault);
    const answer = chosen.score.device.run(() => [weight]);
    const progress = { isAnswered: false };
    void answer.finally(() => (progress.isAnswered = true));
    while (!progress.isAnswered) await vi.advanceTimersByTimeAsync(100);
    expect(await answer).toEqual([Float32Array.of(5)]);
    expect(chosen.score.device.name).toBe('wasm');
    expect(gpu!.held).toBe(0);
    expect(setup.dropped).toEqual([{ device: 'webgpu', workload, reason: expect.stringContaining(reason) as unknown }]);
    expect(chosen.score.why).toContain(`wasm: webgpu ${reason}`);

    Object.assign(gpu!.behaviour, { throws: false, corrupt: undefined, hangs: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(chosen.score).toMatchObject({ device: { name: 'webgpu' }, why: expect.stringContaining(`webgpu: back after it ${reason}`) as unknown });
    expect(await chosen.score.device.run(() => [weight])).toEqual([Float32Array.of(5)]);
    expect(setup.dropped).toHaveLength(1);
    chosen.dispose();
  });

  it('a lost device is left for all its workloads at once, and tried again after 1, 2, 4 … seconds', async () => {
    let tries = 0;
    const setup = setUp(allGood);
    const { webgpu } = setup.create;
    const create = { ...setup.create, webgpu: () => (++tries === 1 || tries === 4 ? webgpu!() : Promise.reject(new Error('no adapter'))) };
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup, create });
    setup.made[0]!.lose();
    expect(await Promise.all([ask(chosen.score.device), ask(chosen.sequence.device)])).toEqual([7, 7]);
    expect([chosen.score.device.name, chosen.sequence.device.name]).toEqual(['wasm', 'wasm']);
    expect(setup.dropped).toEqual([{ device: 'webgpu', workload: null, reason: 'was lost: It was unplugged' }]);
    for (const [seconds, expected] of [[1, 2], [2, 3], [3.9, 3], [0.1, 4]] as const) {
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      expect(tries).toBe(expected);
    }
    expect([chosen.score.device.name, chosen.sequence.device.name, chosen.encode.device.name]).toEqual(['webgpu', 'webgpu', 'wasm']);
    expect(setup.dropped).toHaveLength(1);
    chosen.dispose();
  });

  it('gives up trying after a minute', async () => {
    let tries = 0;
    const setup = setUp(allGood);
    const { webgpu } = setup.create;
    const create = { ...setup.create, webgpu: () => (++tries === 1 ? webgpu!() : Promise.reject(new Error('no adapter'))) };
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup, create });
    setup.made[0]!.lose();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(tries).toBe(7);
    expect(chosen.score.device.name).toBe('wasm');
    chosen.dispose();
  });

  it('leaves nobody where the request is at fault', async () => {
    const setup = setUp(allGood);
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup });
    expect(await ask(chosen.score.device, NaN)).toBeNaN();
    await expect(chosen.score.device.run(() => { throw new TypeError('a defect'); })).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    expect(chosen.score.device.name).toBe('webgpu');
    expect(setup.dropped).toEqual([]);
    chosen.dispose();
  });

  it('asks golden vectors again in idle time, and leaves a device that has gone wrong', async () => {
    const setup = setUp(allGood);
    const chosen = await chooseDevices({ choice: 'webgpu', ...setup });
    setup.made[0]!.behaviour.corrupt = wrong.corrupt!;
    await vi.advanceTimersByTimeAsync(1000);
    for (let run = 0; run < 1000; run++) await ask(chosen.score.device);
    expect(chosen.score.device.name).toBe('webgpu');
    await vi.advanceTimersByTimeAsync(1000);
    expect(chosen.score).toMatchObject({ device: { name: 'wasm' }, why: 'wasm: webgpu gave 0.13 instead of 0.02 on golden vector 1' });
    expect(setup.dropped).toEqual([{ device: 'webgpu', workload: 'score', reason: 'gave 0.13 instead of 0.02 on golden vector 1' }]);
    chosen.dispose();
  });
});
