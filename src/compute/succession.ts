import type { RaceResults } from './choose.ts';
import type { AuditionOptions, Contender } from './contender.ts';
import type { Device, Workload } from './device.ts';
import type { Outcome, Program } from './fail-over.ts';
import { race } from './race.ts';
import { checkDevice } from './self-test.ts';
import type { Service } from './service.ts';

const GPU_MARGIN = 1.1; // `auto` leaves WebGPU only where it loses by more than 10 %: it leaves the processor to the page.
const BACK_OFF_MS = 1000; // before a device that was given up in service is tried again, then twice as long each time
const MOST_FAILURES = 6; // a minute of trying

export interface SuccessionOptions extends Pick<AuditionOptions, 'onDropped'> {
  readonly services: readonly Service[];
  /** In the order in which they are asked. */
  readonly contenders: readonly Contender[];
}

/**
 * Who serves after whom: races, rescues, re-checks and come-backs of devices in service. A chunk of its own, since a visit needs it
 * only where a second device can serve or the first one fails.
 */
export class Succession {
  readonly #services: readonly Service[];
  readonly #contenders: readonly Contender[];
  readonly #onDropped: AuditionOptions['onDropped'];
  readonly #returns = new Map<Contender, ReturnType<typeof setTimeout>>();
  #isDisposed = false;

  constructor({ services, contenders, onDropped }: SuccessionOptions) {
    this.#services = services;
    this.#contenders = contenders;
    this.#onDropped = onDropped;
  }

  /** Lets a rival run programs in turn with the device in service, and serve if it wins; who won, or null where it was interrupted or failed. */
  async race(service: Service, [own, rival]: readonly [own: Contender, rival: Contender], programs: readonly Program[], isInterrupted: () => boolean): Promise<RaceResults | null> {
    const lane = ({ device }: Contender) => async (): Promise<void> => {
      for (const program of programs) {
        const { problem } = await service.device.attempt(device!, program);
        if (problem !== null) throw new Error(problem);
      }
    };
    const times = await race([lane(own), lane(rival)], isInterrupted).catch(() => null);
    // Once more, on other runs.
    if (times === null) service.recent = [];
    if (times === null || service.contender !== own) return null;
    const [ownMs, rivalMs] = times as [number, number];
    const isLeft = rival.name === 'webgpu' ? rivalMs <= GPU_MARGIN * ownMs : GPU_MARGIN * rivalMs < ownMs;
    const [winner, loser, best, other] = isLeft ? [rival, own, rivalMs, ownMs] : [own, rival, ownMs, rivalMs];
    const why = `${toText(best)} ms against ${loser.name}'s ${toText(other)} for the last ${programs.length} runs`;
    service.recent = null;
    service.serve(winner, why);
    service.device.leave(loser.device!);
    return { [service.workload]: { device: winner.name, kernel: winner.device!.kernel, why } };
  }

  /** Asks for the golden vectors again, and leaves a device that has gone wrong. */
  async recheck(service: Service): Promise<void> {
    const { contender, device, workload } = service;
    const verdict = await checkDevice(device, contender.casesOf(workload), { timeoutMs: contender.patienceMs });
    if (verdict.ok) contender.failures = 0;
    else if (service.contender === contender) this.#replaceAll(this.#leave(contender, verdict.reason, verdict.late ? null : workload));
  }

  /** The same program on the other devices, in their order. Where none can do it the fault is the program's, and nobody is left. */
  async rescue(service: Service, device: Device, { problem, late }: Outcome, retry: (device: Device) => Promise<Outcome>): Promise<Outcome | null> {
    const failed = this.#contenders.find((contender) => contender.device === device);
    for (const next of this.#othersThan(failed)) {
      if ((await next.audition(service.workload)) !== null || !next.device) continue;
      const outcome = await retry(next.device);
      if (outcome.problem !== null) continue;
      if (service.contender === failed || !service.contender.device) {
        const left = failed ? this.#leave(failed, problem!, late ? null : service.workload) : [];
        succeed(service, next);
        this.#replaceAll(left.filter((other) => other !== service));
      }
      return outcome;
    }
    return null;
  }

  /** A device is gone for good: the next ones serve, and it comes back if it can be made again. */
  lose(contender: Contender, reason: string): void {
    this.#replaceAll(this.#leave(contender, reason, null));
  }

  /** A device that was given up in an audition serves nothing else either. */
  giveUp(contender: Contender, reason: string): void {
    const left = this.#services.filter((service) => service.contender === contender);
    for (const service of left) service.left.set(contender, reason);
    if (left.length > 0) this.#comeBackLater(contender);
    this.#replaceAll(left);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const timer of this.#returns.values()) clearTimeout(timer);
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
    this.#onDropped?.({ device: contender.name, workload, reason });
    this.#comeBackLater(contender);
    return left;
  }

  #replaceAll(services: readonly Service[]): void {
    for (const service of services) void this.#replace(service);
  }

  async #replace(service: Service): Promise<void> {
    const before = service.contender;
    for (const next of this.#othersThan(before)) {
      if ((await next.audition(service.workload)) !== null) continue;
      if (service.contender === before && next.device) succeed(service, next);
      return;
    }
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
}

function succeed(service: Service, next: Contender): void {
  const left = service.contender;
  service.serve(next, `${left.name} ${service.left.get(left) ?? 'failed'}`);
}

function toText(milliseconds: number): string {
  return String(Number(milliseconds.toPrecision(2)));
}
