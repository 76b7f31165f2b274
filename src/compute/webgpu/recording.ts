import type { Tensor } from '../device.ts';
import { checkFilled } from '../dimensions.ts';
import type { GpuMemory, StorageBuffer } from './gpu-memory.ts';
import { GpuTensor } from './gpu-tensor.ts';
import type { Call } from './kernel.ts';
import type { Pipelines } from './pipelines.ts';
import { flush, readBack } from './read-back.ts';

/**
 * The calls of one run. They are known before the first is dispatched, so that what must be compiled is compiled together, and a
 * temporary's buffer goes to the next one right after it was last read.
 */
export class Recording {
  readonly calls: Call[] = [];
  /** What is read back in the end. */
  results: readonly Tensor[] = [];
  readonly #memory: GpuMemory;
  readonly #held = new Map<GpuTensor, StorageBuffer>();

  constructor(memory: GpuMemory) {
    this.#memory = memory;
  }

  /** A tensor with these 32-bit values for the length of the run; they are copied at once, so that the caller may reuse its array. */
  input(values: Float32Array | Int32Array, shape: readonly number[]): GpuTensor {
    checkFilled(values, shape);
    const tensor = new GpuTensor(shape);
    this.#memory.write(this.#hold(tensor), values);
    return tensor;
  }

  /** The tensor that a call will write; nothing is dispatched for an empty one. */
  call(shape: readonly number[], call: Omit<Call, 'output'>): GpuTensor {
    const output = new GpuTensor(shape);
    if (output.size > 0) this.calls.push({ ...call, output });
    return output;
  }

  /** Dispatches everything and reads the results back once; all buffers are free again when this returns. */
  play(pipelines: Pipelines): Promise<Float32Array[]> {
    const lastCalls = new Map(this.calls.flatMap((call) => [call.output, ...call.inputs].map((tensor) => [tensor, call] as const)));
    const results = this.results.map((tensor) => GpuTensor.of(tensor));
    for (const tensor of results) lastCalls.delete(tensor);
    try {
      for (const call of this.calls) {
        this.#hold(call.output);
        pipelines.dispatch(call);
        for (const tensor of [call.output, ...call.inputs]) if (lastCalls.get(tensor) === call) this.#release(tensor);
      }
      return readBack(this.#memory, results);
    } catch (error) {
      flush(this.#memory.backend);
      throw error;
    } finally {
      this.release();
    }
  }

  /** Gives back every buffer that is still held. */
  release(): void {
    for (const tensor of [...this.#held.keys()]) this.#release(tensor);
  }

  #hold(tensor: GpuTensor): StorageBuffer {
    const storage = this.#memory.temporaries.acquire(tensor.size);
    tensor.storage = storage;
    this.#held.set(tensor, storage);
    return storage;
  }

  /** Nothing for weights, which are not held by the run. */
  #release(tensor: GpuTensor): void {
    const storage = this.#held.get(tensor);
    if (!storage) return;
    this.#held.delete(tensor);
    tensor.storage = undefined;
    this.#memory.temporaries.release(storage);
  }
}
