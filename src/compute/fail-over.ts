import { RecommenderError } from '../errors.ts';
import type { QuantisedRows } from '../lib/quantised-rows.ts';
import type { Device, Primitives, Tensor, Workload } from './device.ts';
import { answerWithin, reasonOf } from './self-test.ts';

export type Program = Parameters<Device['run']>[0];

/** What came of a run. */
export interface Outcome {
  /** The values, or the error where there are none. */
  readonly answer: Float32Array[] | Error;
  /** Why the answer cannot be used, readable after the device's name; null where it can. */
  readonly problem: string | null;
  /** No answer in time: the device may be stuck, and its other workloads with it. */
  readonly late?: boolean;
}

/** Whoever knows the other devices. */
export interface Supervisor {
  started(program: Program): void;
  ended(): void;
  /** What the first other device gave that `retry` found usable; null where there is none. */
  rescue(failed: Device, outcome: Outcome, retry: (device: Device) => Promise<Outcome>): Promise<Outcome | null>;
}

/**
 * A device whose place another may take between two runs, or within one: weights stay on this side as well (as they were handed
 * over, without a copy), reach a device when it first needs them, and leave it with `serve()`. A run that fails, comes too
 * late or gives values that are not finite is repeated elsewhere, so programs must be pure.
 */
export class FailOverDevice implements Device {
  readonly supports: ReadonlySet<Workload> = new Set(['encode', 'sequence', 'score']);
  supervisor: Supervisor | undefined;
  readonly #weights = new Set<MovableWeight>();
  #serving!: Device;
  #patienceMs = 0;

  get name(): Device['name'] {
    return this.#serving.name;
  }

  get kernel(): string {
    return this.#serving.kernel;
  }

  /** From now on runs go to this device; what was uploaded to the one before is freed. A run may take `patienceMs`. */
  serve(device: Device, patienceMs: number): void {
    const before = this.#serving;
    this.#serving = device;
    this.#patienceMs = patienceMs;
    if (before !== device) this.leave(before);
  }

  /** Frees what was uploaded to a device. */
  leave(device: Device): void {
    for (const weight of this.#weights) weight.leave(device);
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    return this.#keep(new MovableWeight(shape, (device) => device.upload(values, shape)));
  }

  uploadRows(rows: QuantisedRows): Tensor {
    return this.#keep(new MovableWeight([rows.scales.length, rows.columns], (device) => device.uploadRows(rows)));
  }

  free(tensor: Tensor): void {
    if (!(tensor instanceof MovableWeight) || !this.#weights.delete(tensor)) throw new RecommenderError('DEVICE_FAILED', 'Only uploaded tensors can be freed.');
    tensor.isFreed = true;
    for (const device of tensor.copies.keys()) tensor.leave(device);
  }

  async run(program: Program): Promise<Float32Array[]> {
    const device = this.#serving;
    this.supervisor?.started(program);
    try {
      let outcome = await this.attempt(device, program);
      if (outcome.problem !== null) outcome = (await this.supervisor?.rescue(device, outcome, (next) => this.attempt(next, program))) ?? outcome;
      if (outcome.answer instanceof Error) throw RecommenderError.from(outcome.answer, 'DEVICE_FAILED');
      return outcome.answer;
    } finally {
      this.supervisor?.ended();
    }
  }

  /** Runs a program once, on this device; never rejects. */
  async attempt(device: Device, program: Program): Promise<Outcome> {
    const answer = await answerWithin(this.#patienceMs, () => device.run((ops) => program(withWeights(ops, device)).map((tensor) => placed(tensor, device))));
    if (answer === 'late') {
      const problem = `did not answer within ${this.#patienceMs} ms`;
      return { answer: new RecommenderError('DEVICE_FAILED', `The device ${problem}.`), problem, late: true };
    }
    if (answer instanceof Error) return { answer, problem: `failed: ${reasonOf(answer)}` };
    return { answer, problem: answer.every(areFinite) ? null : 'gave values that are not finite' };
  }

  /** Frees all weights; the devices live on. */
  dispose(): void {
    for (const weight of this.#weights) this.free(weight);
  }

  #keep(weight: MovableWeight): Tensor {
    this.#weights.add(weight);
    return weight;
  }
}

/** A weight with its copies on devices. */
class MovableWeight implements Tensor {
  readonly shape: readonly number[];
  readonly copies = new Map<Device, Tensor>();
  isFreed = false;
  readonly #upload: (device: Device) => Tensor;

  constructor(shape: readonly number[], upload: (device: Device) => Tensor) {
    this.shape = shape;
    this.#upload = upload;
  }

  /** Its copy there. @throws RecommenderError `DEVICE_FAILED` once it was freed: a program kept for a race may come too late. */
  on(device: Device): Tensor {
    if (this.isFreed) throw new RecommenderError('DEVICE_FAILED', 'The tensor was freed, or its run has ended.');
    let copy = this.copies.get(device);
    if (!copy) this.copies.set(device, (copy = this.#upload(device)));
    return copy;
  }

  leave(device: Device): void {
    const copy = this.copies.get(device);
    this.copies.delete(device);
    try {
      if (copy) device.free(copy);
    } catch {
      // Its memory went with the device.
    }
  }
}

function placed(tensor: Tensor, device: Device): Tensor {
  return tensor instanceof MovableWeight ? tensor.on(device) : tensor;
}

/** The primitives of one device, for programs whose weights may be on any. */
function withWeights(ops: Primitives, device: Device): Primitives {
  const at = (tensor: Tensor): Tensor => placed(tensor, device);
  return {
    input: (values, shape) => ops.input(values, shape),
    linear: (x, weight, bias, activation) => ops.linear(at(x), at(weight), bias && at(bias), activation),
    addLayerNorm: (x, residual, gamma, beta, epsilon) => ops.addLayerNorm(at(x), at(residual), at(gamma), at(beta), epsilon),
    attention: (qkv, lengths, heads) => ops.attention(at(qkv), lengths, heads),
    meanPool: (x, lengths) => ops.meanPool(at(x), lengths),
    lstm: (x, { inputWeights, hiddenWeights, bias }, state) =>
      ops.lstm(at(x), { inputWeights: at(inputWeights), hiddenWeights: at(hiddenWeights), bias: at(bias) }, at(state)),
  };
}

/** Of a float32, in its upper half: all ones are infinity or no number. */
const EXPONENT = 0x7f80;

function areFinite(values: Float32Array): boolean {
  // Exponents, which stand in the upper halves: until it is optimised, code that reads floats makes an object of each.
  const halves = new Uint16Array(values.buffer, values.byteOffset, 2 * values.length);
  for (let at = 1; at < halves.length; at += 2) if ((halves[at]! & EXPONENT) === EXPONENT) return false;
  return true;
}
