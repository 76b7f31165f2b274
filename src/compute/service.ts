import type { Contender } from './contender.ts';
import type { Device, Workload } from './device.ts';
import { FailOverDevice, type Program } from './fail-over.ts';

/** The device that serves a workload, and one line that says why. */
export interface ChosenDevice {
  /** Always the same object: which device is behind it may change. */
  readonly device: Device;
  readonly why: string;
}

/** One workload's device, who is behind it, and who was before. */
export class Service implements ChosenDevice {
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
