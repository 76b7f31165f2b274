import { RecommenderError } from '../errors.ts';
import type { DeviceName } from '../types.ts';
import { Contender, VERB, WORKLOADS, type AuditionOptions, type MakeDevice } from './contender.ts';
import type { Device, Workload } from './device.ts';
import type { Program } from './fail-over.ts';
import { answerWithin } from './self-test.ts';
import { Service, type ChosenDevice } from './service.ts';
import type { Succession } from './succession.ts';

export type { DroppedDevice } from './contender.ts';
export type { ChosenDevice } from './service.ts';

/** Each is slower at its best than the one before, but runs in more browsers. */
const PREFERENCE = ['webgpu', 'wasm', 'reference'] as const;
/** No first answer waits for a GPU's chunk, pipelines and golden vectors: it joins when there is time for a race. */
const FIRST_TO_START = ['wasm', 'webgpu', 'reference'] as const;

const RACED_RUNS = 8; // the last runs in service: this shop's own shapes, and how often each comes
const MEMORY_PATIENCE_MS = 100; // then it is raced once more
const IDLE_MS = 500; // without a run
const RECHECK_RUNS = 1000; // after so many in service the golden cases are asked again

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

/** The devices in service; see `chooseDevices()`. A device that fails in service is left, and comes back if it can. */
export class ServingDevices implements Record<Workload, ChosenDevice> {
  readonly encode = new Service('encode');
  readonly sequence = new Service('sequence');
  readonly score = new Service('score');
  readonly #options: ChooseOptions;
  readonly #services = WORKLOADS.map((workload) => this[workload]);
  readonly #contenders: readonly Contender[];
  readonly #warm = new WeakSet<Device>();
  #succession: Promise<Succession> | undefined;
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
        if (this.#services.some((service) => service.contender === contender)) void this.#whenGone((succession) => succession.giveUp(contender, reason));
      };
      contender.onLost = (reason) => void this.#whenGone((succession) => succession.lose(contender, reason));
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
    void this.#succession?.then((succession) => succession.dispose()).catch(() => undefined);
    for (const contender of this.#contenders) contender.dispose();
  }

  /**
   * What a visit needs only where a second device can serve or the first one fails is fetched then.
   * @throws RecommenderError `DEVICE_FAILED` where it cannot be fetched; the next call tries again.
   */
  #loadSuccession(): Promise<Succession> {
    this.#succession ??= import('./succession.ts').then(
      ({ Succession }) => new Succession({ services: this.#services, contenders: this.#contenders, ...this.#options }),
      (error: unknown) => {
        this.#succession = undefined;
        throw RecommenderError.from(error, 'DEVICE_FAILED');
      },
    );
    return this.#succession;
  }

  async #whenGone(work: (succession: Succession) => void): Promise<void> {
    // Where it cannot be fetched, each run that fails asks for it again.
    const succession = await this.#loadSuccession().catch(() => undefined);
    if (succession && !this.#isDisposed) work(succession);
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
        rescue: async (failed, outcome, retry) => (await this.#loadSuccession()).rescue(service, failed, outcome, retry),
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
    try {
      for (const service of this.#services) {
        if (service.recent && service.recent.length > 0) await this.#race(service, service.recent, isInterrupted);
        await this.#warmUp(service.contender);
        if (service.runs >= RECHECK_RUNS) {
          await (await this.#loadSuccession()).recheck(service);
          service.runs = 0;
        }
        if (isInterrupted()) break;
      }
    } catch {
      // The code for it could not be fetched: it is done after later runs.
    }
    if (!isInterrupted()) this.#tidy();
    this.#isResting = false;
  }

  /** Races the first rival that may serve against the device in service. */
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
      const succession = await this.#loadSuccession();
      const results = await succession.race(service, [contender, rival], programs, isInterrupted);
      this.#results = { ...this.#results, ...results };
      // Without it the next page races again.
      if (results) this.#options.memory?.write(this.#results).catch(() => undefined);
      return;
    }
    service.recent = null;
    if (refusals.length > 0) service.why = `${contender.name}: ${refusals.join('; ')}`;
  }

  async #warmUp({ device }: Contender): Promise<void> {
    if (!device || this.#warm.has(device)) return;
    this.#warm.add(device);
    // Where it fails, the next run waits for what it needs.
    await device.warmUp?.().catch(() => undefined);
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
