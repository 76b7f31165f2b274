import { RecommenderError } from '../errors.ts';
import type { DeviceName } from '../types.ts';
import { Contender, VERB, WORKLOADS, type AuditionOptions, type MakeDevice } from './contender.ts';
import type { Device, Workload } from './device.ts';
import { FailOverDevice, type Outcome, type Program } from './fail-over.ts';
import { race } from './race.ts';
import { answerWithin, checkDevice } from './self-test.ts';

export type { DroppedDevice } from './contender.ts';

/** Each is slower at its best than the one before, but runs in more browsers. */
const PREFERENCE = ['webgpu', 'wasm', 'reference'] as const;
/** No first answer waits for a GPU's chunk, pipelines and golden vectors: it joins when there is time for a race. */
const FIRST_TO_START = ['wasm', 'webgpu', 'reference'] as const;

const GPU_MARGIN = 1.1; // `auto` leaves WebGPU only where it loses by more than 10 %: it leaves the processor to the page.
const RACED_RUNS = 8; // the last runs in service: this shop's own shapes, and how often each comes
const MEMORY_PATIENCE_MS = 100; // then it is raced once more
const IDLE_MS = 500; // without a run
const RECHECK_RUNS = 1000; // after so many in service the golden cases are asked again
const BACK_OFF_MS = 1000; // before a device that was given up in service is tried again, then twice as long each time
const MOST_FAILURES = 6; // a minute of trying

/** How devices are made: a list where there are several ways, best first; a way is taken only when its turn comes. */
export type DeviceFactories = Partial<Record<DeviceName, MakeDevice | readonly MakeDevice[]>>;

/** Where the results of races outlive the page. */
export interface RaceMemory {
  read(): Promise<unknown>;
  write(results: RaceResults): Promise<void>;
}

/** Who won, for each workload that was raced. */
export type RaceResults = Partial<Record<Workload, { readonly device: DeviceName; readonly kernel: string; readonly why: string }>>;

export interface ChooseOptions extends AuditionOptions {
  readonly create: DeviceFactories;
  /** Of this adapter and these packs; without it every page races. */
  readonly memory?: RaceMemory;
}

/** The device that serves a workload, and one line that says why. */
export interface ChosenDevice {
  /** Always the same object: which device is behind it may change. */
  readonly device: Device;
  readonly why: string;
}

/**
 * Finds who serves each workload: the first device that supports it and answers its golden cases. A forced choice starts the
 * order at that device. `auto` starts with what won an earlier race, else with WebAssembly; in idle time WebGPU is raced
 * against it on the last runs in service, and takes over unless it loses by more than 10 %. A GPU that is only imitated on the
 * CPU is passed over without a race, which would cost a shopper seconds of processor time to learn what is known.
 * Devices that serve nothing are disposed.
 * @throws RecommenderError `DEVICE_FAILED` when no device can serve some workload.
 */
export async function chooseDevices(options: ChooseOptions): Promise<ServingDevices> {
  const devices = new ServingDevices(options);
  try {
    await devices.start();
  } catch (error) {
    devices.dispose();
    throw error;
  }
  return devices;
}

/** One workload's device, who is behind it, and who was before. */
class Service implements ChosenDevice {
  readonly workload: Workload;
  readonly device = new FailOverDevice();
  why = '';
  contender!: Contender;
  /** Devices that failed here and may come back. */
  readonly left = new Map<Contender, string>();
  /** What is to be raced; null where there is no race, or no more. */
  recent: Program[] | null = null;
  runs = 0;

  constructor(workload: Workload) {
    this.workload = workload;
  }

  serve(contender: Contender, why: string): void {
    this.contender = contender;
    this.why = `${contender.name}: ${why}`;
    this.device.serve(contender.device!, contender.patienceMs);
  }
}

/** The devices in service; see `chooseDevices()`. A device that fails in service is left, and comes back if it can. */
export class ServingDevices implements Record<Workload, ChosenDevice> {
  readonly encode = new Service('encode');
  readonly sequence = new Service('sequence');
  readonly score = new Service('score');
  readonly #options: ChooseOptions;
  readonly #services = WORKLOADS.map((workload) => this[workload]);
  readonly #contenders: readonly Contender[];
  readonly #returns = new Map<Contender, ReturnType<typeof setTimeout>>();
  readonly #warm = new WeakSet<Device>();
  #results: RaceResults = {};
  #running = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isResting = false;
  #isDisposed = false;

  constructor(options: ChooseOptions) {
    this.#options = options;
    const { choice, create } = options;
    const order = choice === 'auto' ? FIRST_TO_START : PREFERENCE.slice(PREFERENCE.indexOf(choice));
    this.#contenders = order.flatMap((name) => {
      const given = create[name] ?? (() => Promise.reject(new Error('it is not offered here')));
      const makes = typeof given === 'function' ? [given] : given;
      return makes.map((make, way) => new Contender(name, { make, hasNext: way + 1 < makes.length }, options));
    });
    for (const contender of this.#contenders) {
      contender.onGivenUp = (reason) => {
        for (const service of this.#services) {
          if (service.contender !== contender) continue;
          service.left.set(contender, reason);
          void this.#replace(service);
          this.#comeBackLater(contender);
        }
      };
      contender.onLost = (reason) => {
        for (const service of this.#leave(contender, reason, null)) void this.#replace(service);
      };
    }
  }

  /** @throws RecommenderError `DEVICE_FAILED` when no device can serve some workload. */
  async start(): Promise<void> {
    const { choice, memory } = this.#options;
    if (choice === 'auto') this.#results = resultsFrom(memory && (await answerWithin(MEMORY_PATIENCE_MS, () => memory.read())));
    for (const service of this.#services) await this.#choose(service);
    this.#tidy();
  }

  /**
   * Chooses a workload's device anew, where golden cases have come to the list since; nothing of it may run meanwhile.
   * @throws RecommenderError `DEVICE_FAILED` when no device can serve it.
   */
  async chooseAgain(workload: Workload): Promise<void> {
    for (const contender of this.#contenders) contender.pardon(workload);
    await this.#choose(this[workload]);
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#idle);
    for (const timer of this.#returns.values()) clearTimeout(timer);
    for (const contender of this.#contenders) contender.dispose();
  }

  async #choose(service: Service): Promise<void> {
    const { workload, device } = service;
    device.supervisor = undefined;
    const won = this.#results[workload];
    const refusals: string[] = [];
    for (const contender of [...this.#contenders].sort((a, b) => Number(b.name === won?.device) - Number(a.name === won?.device))) {
      const refusal = await contender.audition(workload, device);
      if (refusal !== null) {
        if (refusal) refusals.push(`${contender.name} ${refusal}`);
        continue;
      }
      const isKnown = won?.device === contender.name && won.kernel === contender.device!.kernel;
      const checked = contender.casesOf(workload).length > 0 ? 'passed golden vectors' : 'no golden vectors to pass';
      const chosen = this.#options.choice === 'auto' ? checked : `asked for, ${checked}`;
      service.serve(contender, refusals.length > 0 ? refusals.join('; ') : isKnown ? `${won.why}, on an earlier page` : chosen);
      if (this.#options.choice === 'auto' && !isKnown) service.recent = [];
      device.supervisor = {
        started: (program) => this.#started(service, program),
        ended: () => this.#ended(),
        rescue: (failed, outcome, retry) => this.#rescue(service, failed, outcome, retry),
      };
      return;
    }
    throw new RecommenderError('DEVICE_FAILED', `No device can ${VERB[workload]}: ${refusals.join('; ')}.`);
  }

  #started(service: Service, program: Program): void {
    this.#running++;
    service.runs++;
    service.recent?.push(program);
    if (service.recent && service.recent.length > RACED_RUNS) service.recent.shift();
  }

  #ended(runs = 1): void {
    this.#running -= runs;
    clearTimeout(this.#idle);
    if (!this.#isDisposed) this.#idle = setTimeout(() => void this.#rest(), IDLE_MS);
  }

  /** What is done while nobody asks for anything; it ends when somebody does, and goes on later. */
  async #rest(): Promise<void> {
    if (this.#running > 0) return;
    if (this.#isResting) {
      this.#ended(0);
      return;
    }
    this.#isResting = true;
    const idle = this.#idle;
    const isInterrupted = (): boolean => this.#idle !== idle || this.#running > 0 || this.#isDisposed;
    for (const service of this.#services) {
      if (service.recent && service.recent.length > 0) await this.#race(service, service.recent, isInterrupted);
      await this.#warmUp(service.contender);
      if (service.runs >= RECHECK_RUNS) await this.#recheck(service);
      if (isInterrupted()) break;
    }
    if (!isInterrupted()) this.#tidy();
    this.#isResting = false;
  }

  /** Lets the first rival that may serve run the last programs in turn with the device in service. */
  async #race(service: Service, programs: readonly Program[], isInterrupted: () => boolean): Promise<void> {
    const { workload, contender } = service;
    const refusals: string[] = [];
    for (const rival of this.#contenders) {
      if (rival.name === contender.name || rival.name === 'reference') continue;
      const refusal = await rival.audition(workload);
      if (refusal !== null) {
        if (refusal) refusals.push(`${rival.name} ${refusal}`);
        continue;
      }
      const lane = ({ device }: Contender) => async (): Promise<void> => {
        for (const program of programs) {
          const { problem } = await service.device.attempt(device!, program);
          if (problem !== null) throw new Error(problem);
        }
      };
      const times = await race([lane(contender), lane(rival)], isInterrupted).catch(() => undefined);
      // Interrupted or failed: once more, on other runs.
      if (times && service.contender === contender) this.#settle(service, rival, times, programs.length);
      else if (times === undefined) service.recent = [];
      return;
    }
    service.recent = null;
    if (refusals.length > 0) service.why = `${contender.name}: ${refusals.join('; ')}`;
  }

  #settle(service: Service, rival: Contender, [ownMs, rivalMs]: readonly number[], runs: number): void {
    const { contender, workload } = service;
    const isLeft = rival.name === 'webgpu' ? rivalMs! <= GPU_MARGIN * ownMs! : GPU_MARGIN * rivalMs! < ownMs!;
    const [winner, loser, best, other] = isLeft ? [rival, contender, rivalMs!, ownMs!] : [contender, rival, ownMs!, rivalMs!];
    const why = `${toText(best)} ms against ${loser.name}'s ${toText(other)} for the last ${runs} runs`;
    service.recent = null;
    service.serve(winner, why);
    service.device.leave(loser.device!);
    this.#results = { ...this.#results, [workload]: { device: winner.name, kernel: winner.device!.kernel, why } };
    // Without it the next page races again.
    this.#options.memory?.write(this.#results).catch(() => undefined);
  }

  async #warmUp({ device }: Contender): Promise<void> {
    if (!device || this.#warm.has(device)) return;
    this.#warm.add(device);
    // Where it fails, the next run waits for what it needs.
    await device.warmUp?.().catch(() => undefined);
  }

  async #recheck(service: Service): Promise<void> {
    const { contender, device, workload } = service;
    service.runs = 0;
    const verdict = await checkDevice(device, contender.casesOf(workload), { timeoutMs: contender.patienceMs });
    if (verdict.ok) contender.failures = 0;
    else if (service.contender === contender) for (const left of this.#leave(contender, verdict.reason, verdict.late ? null : workload)) void this.#replace(left);
  }

  /** The same program on the other devices, in their order. Where none can do it the fault is the program's, and nobody is left. */
  async #rescue(service: Service, device: Device, { problem, late }: Outcome, retry: (device: Device) => Promise<Outcome>): Promise<Outcome | null> {
    const failed = this.#contenders.find((contender) => contender.device === device);
    for (const next of this.#othersThan(failed)) {
      if ((await next.audition(service.workload)) !== null || !next.device) continue;
      const outcome = await retry(next.device);
      if (outcome.problem !== null) continue;
      if (service.contender === failed || !service.contender.device) {
        const left = failed ? this.#leave(failed, problem!, late ? null : service.workload) : [];
        this.#succeed(service, next);
        for (const other of left) if (other !== service) void this.#replace(other);
      }
      return outcome;
    }
    return null;
  }

  /** Who may take over at once: not the same GPU in another precision, which would fail alike while a request waits. */
  #othersThan(failed: Contender | undefined): Contender[] {
    return this.#contenders.filter((contender) => contender !== failed && !(contender.name === 'webgpu' && failed?.name === 'webgpu'));
  }

  /** Gives a device up, for one workload or (`null`) for all; whom it served. */
  #leave(contender: Contender, reason: string, workload: Workload | null): Service[] {
    const left = this.#services.filter((service) => service.contender === contender && (workload ?? service.workload) === service.workload);
    for (const service of left) service.left.set(contender, reason);
    contender.refuse(reason, workload);
    this.#options.onDropped?.({ device: contender.name, workload, reason });
    this.#comeBackLater(contender);
    return left;
  }

  async #replace(service: Service): Promise<void> {
    const before = service.contender;
    for (const next of this.#othersThan(before)) {
      if ((await next.audition(service.workload)) !== null) continue;
      if (service.contender === before && next.device) this.#succeed(service, next);
      return;
    }
  }

  #succeed(service: Service, next: Contender): void {
    const left = service.contender;
    service.serve(next, `${left.name} ${service.left.get(left) ?? 'failed'}`);
  }

  #comeBackLater(contender: Contender): void {
    if (this.#isDisposed || this.#returns.has(contender) || contender.failures >= MOST_FAILURES) return;
    this.#returns.set(contender, setTimeout(() => void this.#comeBack(contender), BACK_OFF_MS * 2 ** contender.failures++));
  }

  /** Where a device was left it serves again, if it can be made and gives its golden vectors. */
  async #comeBack(contender: Contender): Promise<void> {
    const services = this.#services.filter(({ left }) => left.has(contender));
    for (const { workload } of services) contender.pardon(workload);
    for (const service of services) {
      if ((await contender.audition(service.workload)) !== null || !contender.device || this.#isDisposed) continue;
      service.serve(contender, `back after it ${service.left.get(contender)}`);
      service.left.delete(contender);
    }
    this.#returns.delete(contender);
    if (services.some(({ left }) => left.has(contender))) this.#comeBackLater(contender);
  }

  /** Disposes what serves nobody. */
  #tidy(): void {
    for (const contender of this.#contenders) if (contender.device && this.#services.every((service) => service.contender !== contender)) contender.dispose();
  }
}

/** What was remembered, as far as it can be read. */
function resultsFrom(value: unknown): RaceResults {
  const entries = Object.entries((value ?? {}) as Record<string, { device?: unknown; kernel?: unknown; why?: unknown } | null>);
  return Object.fromEntries(entries.filter(([, result]) => [result?.device, result?.kernel, result?.why].every((part) => typeof part === 'string')));
}

function toText(milliseconds: number): string {
  return String(Number(milliseconds.toPrecision(2)));
}
