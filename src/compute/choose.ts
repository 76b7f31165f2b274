import { RecommenderError } from '../errors.ts';
import type { DeviceChoice, DeviceName } from '../types.ts';
import type { Device, Workload } from './device.ts';
import { answerWithin, checkDevice, type GoldenCase } from './self-test.ts';

const WORKLOADS: readonly Workload[] = ['encode', 'sequence', 'score'];

/** Each is slower at its best than the one before, but runs in more browsers. A belief, until devices are raced. */
const PREFERENCE = ['webgpu', 'wasm', 'reference'] as const;

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
  /** How each device is made; one that is absent is passed over. A device is made only when its turn comes. */
  readonly create: Partial<Record<DeviceName, () => Promise<Device>>>;
  readonly onDropped?: (dropped: DroppedDevice) => void;
  /** For making a device, and again for all golden cases of one workload on it; default 4000. */
  readonly timeoutMs?: number;
}

/**
 * Finds who serves each workload: the first device, in order of preference, that supports it and answers its golden
 * cases. A forced choice starts the order at that device. Devices that serve nothing are disposed.
 * @throws RecommenderError `DEVICE_FAILED` when no device can serve some workload.
 */
export async function chooseDevices(options: ChooseOptions): Promise<Record<Workload, ChosenDevice>> {
  const { choice, timeoutMs = 4000 } = options;
  const order = choice === 'auto' ? PREFERENCE : PREFERENCE.slice(PREFERENCE.indexOf(choice));
  const found = new Map<Workload, ChosenDevice>();
  const passedOver = new Map(WORKLOADS.map((workload) => [workload, [] as string[]]));

  for (const name of order) {
    const wanted = WORKLOADS.filter((workload) => !found.has(workload));
    const create = options.create[name];
    if (wanted.length === 0) break;
    if (!create) {
      for (const workload of wanted) passedOver.get(workload)!.push(`${name} is not offered here`);
      continue;
    }
    const device = await open(create, timeoutMs);
    if (typeof device === 'string') {
      options.onDropped?.({ device: name, workload: null, reason: device });
      for (const workload of wanted) passedOver.get(workload)!.push(`${name} ${device}`);
      continue;
    }
    const refusals = await check(device, wanted, { ...options, timeoutMs });
    for (const workload of wanted) {
      const refusal = refusals.get(workload);
      if (refusal === undefined) found.set(workload, { device, why: explain(name, workload, passedOver.get(workload)!, options) });
      else passedOver.get(workload)!.push(`${name} ${refusal}`);
    }
    if (wanted.every((workload) => refusals.has(workload))) device.dispose();
  }
  return complete(found, passedOver);
}

/** A new device, or why there is none. */
async function open(create: () => Promise<Device>, timeoutMs: number): Promise<Device | string> {
  const opening = Promise.resolve().then(create); // what create() throws is a rejection, too
  const answer = await answerWithin(timeoutMs, () => opening);
  if (answer instanceof Error) return `did not start: ${answer.message}`;
  if (answer !== 'late') return answer;
  // It may still arrive: nobody waits for it any more.
  opening.then((device) => device.dispose()).catch(() => undefined);
  return `did not start within ${timeoutMs} ms`;
}

/** Why a device cannot serve, for each of the wanted workloads that it cannot serve. */
async function check(
  device: Device,
  wanted: readonly Workload[],
  { cases, timeoutMs, onDropped }: ChooseOptions & { timeoutMs: number },
): Promise<Map<Workload, string>> {
  const refusals = new Map<Workload, string>();
  let stuck: string | undefined;
  for (const workload of wanted) {
    if (!device.supports.has(workload)) {
      refusals.set(workload, `does not ${VERB[workload]} yet`);
    } else if (stuck !== undefined) {
      refusals.set(workload, stuck);
    } else {
      const verdict = await checkDevice(device, casesOf(cases, workload), { timeoutMs });
      if (verdict.ok) continue;
      refusals.set(workload, verdict.reason);
      onDropped?.({ device: device.name, workload: verdict.late ? null : workload, reason: verdict.reason });
      if (verdict.late) stuck = verdict.reason;
    }
  }
  // A device that no longer answers is not trusted with what it answered before either.
  if (stuck !== undefined) for (const workload of wanted) if (!refusals.has(workload)) refusals.set(workload, stuck);
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
