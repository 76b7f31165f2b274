import { RecommenderError } from '../errors.ts';
import type { DeviceChoice, DeviceName } from '../types.ts';
import type { Device, Workload } from './device.ts';
import { answerWithin, checkDevice, reasonOf, type GoldenCase } from './self-test.ts';

const WORKLOADS: readonly Workload[] = ['encode', 'sequence', 'score'];

/** Each is slower at its best than the one before, but runs in more browsers. A belief, until devices are raced. */
const PREFERENCE = ['webgpu', 'wasm', 'reference'] as const;

const TIMEOUT_MS = 4000; // Of a first visit's patience: models that are still warming up keep the server's order.
const LAST_RESORT_PATIENCE = 10; // times that: plain TypeScript is slow but never hangs, and nothing comes after it

const VERB: Readonly<Record<Workload, string>> = { encode: 'encode', sequence: 'run sequences', score: 'score' };

/** The device that serves a workload, and one line that says why. */
export interface ChosenDevice {
  readonly device: Device;
  readonly why: string;
}

/** A device that was given up, for one workload or (`null`) for all. */
export interface DroppedDevice {
  readonly device: DeviceName;
  readonly workload: Workload | null;
  /** Readable after the device's name: "gave 0.13 instead of 0.02 on golden vector 1". */
  readonly reason: string;
}

export interface ChooseOptions {
  readonly choice: DeviceChoice;
  /** The packs' golden cases; a workload without any is served unchecked, and `why` says so. */
  readonly cases: readonly GoldenCase[];
  /** How each device is made; it is made only when its turn comes, and passed over where it is absent. */
  readonly create: Partial<Record<DeviceName, () => Promise<Device>>>;
  /** Hears of devices that gave wrong or no answers, and of a forced one that does not start. */
  readonly onDropped?: (dropped: DroppedDevice) => void;
  /** For making a device, and again for all golden cases of one workload on it; default 4000. */
  readonly timeoutMs?: number;
}

/**
 * Finds who serves each workload: the first device, in order of preference, that supports it and answers its golden
 * cases. A forced choice starts the order at that device; `auto` passes over a GPU that is only imitated on the CPU
 * (re-ranking is several times slower there than on our SIMD kernels: `npm run bench -- rerank`). Devices that serve nothing are disposed.
 * @throws RecommenderError `DEVICE_FAILED` when no device can serve some workload.
 */
export async function chooseDevices(options: ChooseOptions): Promise<Record<Workload, ChosenDevice>> {
  const order = options.choice === 'auto' ? PREFERENCE : PREFERENCE.slice(PREFERENCE.indexOf(options.choice));
  const found = new Map<Workload, ChosenDevice>();
  const passedOver = new Map(WORKLOADS.map((workload) => [workload, [] as string[]]));

  for (const name of order) {
    const wanted = WORKLOADS.filter((workload) => !found.has(workload));
    if (wanted.length === 0) break;
    const { device, refusals } = await audition(name, wanted, options);
    for (const workload of wanted) {
      const reasons = passedOver.get(workload)!;
      const refusal = refusals.get(workload);
      if (device && refusal === undefined) found.set(workload, { device, why: explain(name, workload, reasons, options) });
      else reasons.push(`${name} ${refusal!}`);
    }
  }
  return complete(found, passedOver);
}

/** Makes one device and asks it for its golden cases: why it cannot serve, for each wanted workload that it cannot serve. */
async function audition(
  name: DeviceName,
  wanted: readonly Workload[],
  options: ChooseOptions,
): Promise<{ device?: Device; refusals: ReadonlyMap<Workload, string> }> {
  const device = await open(name, options);
  if (typeof device === 'string') return { refusals: new Map(wanted.map((workload) => [workload, device])) };
  const refusals = await check(device, wanted, options);
  if (refusals.size === wanted.length) device.dispose();
  return { device, refusals };
}

/** A new device, or why there is none. */
async function open(name: DeviceName, { choice, create, onDropped, timeoutMs = TIMEOUT_MS }: ChooseOptions): Promise<Device | string> {
  const make = create[name];
  if (!make) return 'is not offered here';
  const opening = Promise.resolve().then(make); // what make() throws is a rejection, too
  const answer = await answerWithin(timeoutMs, () => opening);
  if (answer === 'late') {
    // It may still arrive: nobody waits for it any more.
    opening.then((device) => device.dispose()).catch(() => undefined);
  } else if (!(answer instanceof Error)) {
    if (choice !== 'auto' || answer.emulated !== true) return answer;
    answer.dispose();
    return 'has only a software adapter here';
  }
  const reason = answer === 'late' ? `did not start within ${timeoutMs} ms` : `did not start: ${reasonOf(answer)}`;
  // Under `auto` a browser without WebGPU is no fault to report.
  if (name === choice) onDropped?.({ device: name, workload: null, reason });
  return reason;
}

/** Why a device cannot serve, for each of the wanted workloads that it cannot serve. */
async function check(
  device: Device,
  wanted: readonly Workload[],
  { cases, timeoutMs = TIMEOUT_MS, onDropped }: ChooseOptions,
): Promise<Map<Workload, string>> {
  const refusals = new Map<Workload, string>();
  for (const workload of wanted) {
    if (!device.supports.has(workload)) {
      refusals.set(workload, `does not ${VERB[workload]} yet`);
      continue;
    }
    const verdict = await checkDevice(device, casesOf(cases, workload), { timeoutMs: device.name === 'reference' ? LAST_RESORT_PATIENCE * timeoutMs : timeoutMs });
    if (verdict.ok) continue;
    onDropped?.({ device: device.name, workload: verdict.late ? null : workload, reason: verdict.reason });
    // A device that no longer answers is not trusted with what it answered before, and is not waited for again.
    if (verdict.late) return new Map(wanted.map((other) => [other, verdict.reason]));
    refusals.set(workload, verdict.reason);
  }
  return refusals;
}

function casesOf(cases: readonly GoldenCase[], workload: Workload): GoldenCase[] {
  return cases.filter((golden) => golden.workload === workload);
}

/** "webgpu: passed golden vectors"; or, after others were passed over, "wasm: webgpu does not encode yet". */
function explain(name: DeviceName, workload: Workload, passedOver: readonly string[], { choice, cases }: ChooseOptions): string {
  if (passedOver.length > 0) return `${name}: ${passedOver.join('; ')}`;
  const checked = casesOf(cases, workload).length > 0 ? 'passed golden vectors' : 'no golden vectors to pass';
  return choice === 'auto' ? `${name}: ${checked}` : `${name}: asked for, ${checked}`;
}

/** Every workload's device, or none at all: a model that can only do half of its work is of no use. */
function complete(found: ReadonlyMap<Workload, ChosenDevice>, passedOver: ReadonlyMap<Workload, readonly string[]>): Record<Workload, ChosenDevice> {
  const encode = found.get('encode');
  const sequence = found.get('sequence');
  const score = found.get('score');
  if (encode && sequence && score) return { encode, sequence, score };

  for (const device of new Set([...found.values()].map((chosen) => chosen.device))) device.dispose();
  const missing = WORKLOADS.filter((workload) => !found.has(workload));
  const reasons = missing.map((workload) => `No device can ${VERB[workload]}: ${passedOver.get(workload)!.join('; ')}.`);
  throw new RecommenderError('DEVICE_FAILED', reasons.join(' '));
}
