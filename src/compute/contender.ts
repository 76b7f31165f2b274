import type { DeviceChoice, DeviceName } from '../types.ts';
import type { Device, Workload } from './device.ts';
import { FailOverDevice } from './fail-over.ts';
import { answerWithin, checkDevice, reasonOf, type GoldenCase } from './self-test.ts';

/**
 * Makes a device, or rejects with the reason. Without `software`, a GPU that is only imitated on the CPU is a reason, to be found
 * before anything is downloaded for it.
 */
export type MakeDevice = (options: { readonly software: boolean }) => Promise<Device>;

/** A device that was given up, for one workload or (`null`) for all. */
export interface DroppedDevice {
  readonly device: DeviceName;
  readonly workload: Workload | null;
  /** Readable after the device's name: "gave 0.13 instead of 0.02 on golden vector 1". */
  readonly reason: string;
}

export interface AuditionOptions {
  readonly choice: DeviceChoice;
  /** The packs' golden cases; a workload without any is served unchecked, and `why` says so. */
  readonly cases: readonly GoldenCase[];
  /** Hears of devices that gave wrong or no answers, at the start or in service, and of a forced one that does not start. */
  readonly onDropped?: (dropped: DroppedDevice) => void;
  /** For making a device, and again for all golden cases of one workload on it; default 4000, ten times that for a GPU's when it is forced, and for reference. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 4000; // Of a first visit's patience: models that are still warming up keep the server's order.
const LAST_RESORT_PATIENCE = 10; // times that: plain TypeScript is slow but never hangs, and nothing comes after it
const FORCED_GPU_PATIENCE = 10; // times that: whoever asks for a GPU gets it although its shaders compile slowly, as a software GPU's do
const LEAST_PATIENCE_MS = 10_000; // for a run in service: its shape may be the first that needs some kernel, on a page that is slow in the background
const PATIENCE_PER_GOLDEN = 5; // and as often what its golden vectors took, shaders included

export const VERB: Readonly<Record<Workload, string>> = { encode: 'encode', sequence: 'run sequences', score: 'score' };
export const WORKLOADS = Object.keys(VERB) as Workload[];

/** One way of making a device: it is made when it is first asked for golden vectors, and remembers what it may serve. */
export class Contender {
  readonly name: DeviceName;
  /** Made, and not given up. */
  device: Device | undefined;
  /** How long a run may take. */
  patienceMs = LEAST_PATIENCE_MS;
  /** Times that it was given up in service. */
  failures = 0;
  /** Its device, which may serve other workloads, did not answer golden vectors in time. */
  onGivenUp: (reason: string) => void = () => undefined;
  /** The device that was made is gone for good. */
  onLost: (reason: string) => void = () => undefined;
  readonly #make: MakeDevice;
  readonly #hasNext: boolean;
  readonly #options: AuditionOptions;
  #opening: Promise<Device | string> | undefined;
  readonly #verdicts = new Map<Workload, Promise<string | null>>();

  /** @param hasNext another way of making the same device follows: that this one does not start is nobody's business. */
  constructor(name: DeviceName, { make, hasNext }: { make: MakeDevice; hasNext: boolean }, options: AuditionOptions) {
    this.name = name;
    this.#make = make;
    this.#hasNext = hasNext;
    this.#options = options;
  }

  casesOf(workload: Workload): GoldenCase[] {
    return this.#options.cases.filter((golden) => golden.workload === workload);
  }

  /**
   * Null where the device may serve a workload, else why not, readable after its name (empty where its next way will say); asked
   * once, until `dispose()`.
   * @param stage keeps what is uploaded for the golden cases; without one it is freed.
   */
  audition(workload: Workload, stage?: FailOverDevice): Promise<string | null> {
    let verdict = this.#verdicts.get(workload);
    if (!verdict) this.#verdicts.set(workload, (verdict = this.#audition(workload, stage)));
    return verdict;
  }

  /** Refuses one workload; or all, and gives the device up. */
  refuse(reason: string, workload: Workload | null): void {
    if (workload === null) this.dispose();
    for (const refused of workload === null ? WORKLOADS : [workload]) this.#verdicts.set(refused, Promise.resolve(reason));
  }

  /** Forgets a refusal, so that the next audition asks again. */
  pardon(workload: Workload): void {
    this.#verdicts.delete(workload);
    if (!this.device) this.#opening = undefined;
  }

  /** Gives the device up; another audition makes a new one. */
  dispose(): void {
    this.device?.dispose();
    this.device = this.#opening = undefined;
    this.#verdicts.clear();
  }

  async #audition(workload: Workload, stage: FailOverDevice | undefined): Promise<string | null> {
    const device = await (this.#opening ??= this.#open());
    if (typeof device === 'string') return device;
    if (!device.supports.has(workload)) return `does not ${VERB[workload]} yet`;
    const { choice, timeoutMs = TIMEOUT_MS } = this.#options;
    const probe = stage ?? new FailOverDevice();
    const isForcedGpu = this.name === 'webgpu' && choice === 'webgpu';
    const patience = timeoutMs * (this.name === 'reference' ? LAST_RESORT_PATIENCE : isForcedGpu ? FORCED_GPU_PATIENCE : 1);
    probe.serve(device, patience);
    const start = performance.now();
    const verdict = await checkDevice(probe, this.casesOf(workload), { timeoutMs: patience });
    if (!stage) probe.dispose();
    this.patienceMs = Math.max(this.patienceMs, PATIENCE_PER_GOLDEN * (performance.now() - start));
    if (verdict.ok) return null;
    this.#drop(verdict.reason, verdict.late ? null : workload);
    // A device that no longer answers is not trusted with what it answered before, and is not waited for again.
    if (verdict.late) {
      this.refuse(verdict.reason, null);
      this.onGivenUp(verdict.reason);
    }
    return verdict.reason;
  }

  /** A new device, or why there is none. */
  async #open(): Promise<Device | string> {
    const { choice, timeoutMs = TIMEOUT_MS } = this.#options;
    const opening = Promise.resolve({ software: choice !== 'auto' }).then(this.#make); // what it throws is a rejection, too
    const answer = await answerWithin(timeoutMs, () => opening);
    if (answer === 'late') {
      // It may still arrive: nobody waits for it any more.
      opening.then((device) => device.dispose()).catch(() => undefined);
    } else if (!(answer instanceof Error)) {
      return this.#welcome(answer);
    }
    if (this.#hasNext) return '';
    const reason = answer === 'late' ? `did not start within ${timeoutMs} ms` : `did not start: ${reasonOf(answer)}`;
    // Under `auto` a browser without WebGPU is no fault to report.
    if (this.name === choice) this.#drop(reason, null);
    return reason;
  }

  #welcome(device: Device): Device {
    this.device = device;
    void device.lost?.then((error) => {
      if (this.device === device) this.onLost(`was lost: ${reasonOf(error)}`);
    });
    return device;
  }

  #drop(reason: string, workload: Workload | null): void {
    // Those who wait for a device to come back have been told why it went.
    if (this.failures === 0) this.#options.onDropped?.({ device: this.name, workload, reason });
  }
}
