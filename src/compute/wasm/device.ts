import { RecommenderError } from '../../errors.ts';
import type { QuantisedRows } from '../../lib/quantised-rows.ts';
import { checkFilled, sizeOf } from '../dimensions.ts';
import type { Device, Primitives, Tensor, Workload } from '../device.ts';
import { Arena, type WasmHeap } from './heap.ts';
import { createWasmPrimitives } from './primitives.ts';
import { ResultArrays } from './result-arrays.ts';
import { bestWasmKernel, loadServingKernels, type ServingKernels, type WasmKernel } from './serving-kernels.ts';
import { WasmTensor } from './tensor.ts';

/**
 * Our own kernels in WebAssembly SIMD. `kernel` forces their arithmetic; by default it is the best that this browser accepts:
 *
 * - `int8-relaxed`: matrices from `uploadRows()` are multiplied in int8, with each row of activations in 7 bits; all else as
 * - `f32-relaxed`: float32 with fused multiply-add;
 * - `f32-simd`: float32, rounded after each operation.
 *
 * Weights are packed for the product once. A row's product with them has the same bits whatever stands beside it, and so has
 * an LSTM's state, whether its steps come in one call or one by one. Once the largest run was seen, no run allocates memory.
 * @throws RecommenderError `DEVICE_FAILED` where WebAssembly or the SIMD that it takes is missing or the page's policy forbids it.
 */
export async function createWasmDevice({ kernel }: { kernel?: WasmKernel } = {}): Promise<Device> {
  const chosen = kernel ?? bestWasmKernel();
  const { kernels, heap } = await loadServingKernels(chosen);
  return new WasmDevice(chosen, kernels, heap);
}

class WasmDevice implements Device {
  readonly name = 'wasm';
  readonly kernel: WasmKernel;
  readonly supports: ReadonlySet<Workload> = new Set(['encode', 'sequence', 'score']);
  readonly #kernels: ServingKernels;
  readonly #heap: WasmHeap;
  readonly #arena: Arena;
  readonly #ops: Primitives;
  readonly #results = new ResultArrays();
  #failure: RecommenderError | undefined;

  constructor(kernel: WasmKernel, kernels: ServingKernels, heap: WasmHeap) {
    this.kernel = kernel;
    this.#kernels = kernels;
    this.#heap = heap;
    this.#arena = new Arena(heap);
    this.#ops = createWasmPrimitives(kernels, heap, this.#arena);
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    if (this.#failure) throw this.#failure;
    checkFilled(values, shape);
    const tensor = new WasmTensor(shape, this.#heap.allocate(values.byteLength), { lifetime: { ended: false }, isWeight: true });
    this.#heap.floats.set(values, tensor.address / 4);
    return tensor;
  }

  uploadRows(rows: QuantisedRows): Tensor {
    if (this.#failure) throw this.#failure;
    const { values, scales, columns } = rows;
    // Before what is brought for it, which the heap then takes back at its end.
    const address = this.#heap.allocate(this.#kernels.quantisedBytes(scales.length, columns));
    const raw = this.#heap.allocate(values.length);
    const rawScales = this.#heap.allocate(scales.byteLength);
    new Int8Array(this.#heap.memory.buffer).set(values, raw);
    this.#heap.floats.set(scales, rawScales / 4);
    this.#kernels.packQuantised(address, raw, rawScales, scales.length, columns);
    this.#heap.free(rawScales);
    this.#heap.free(raw);
    return new WasmTensor([scales.length, columns], address, { lifetime: { ended: false }, isWeight: true, layout: 'quantised' });
  }

  free(tensor: Tensor): void {
    const weight = WasmTensor.of(tensor);
    if (!weight.isWeight) throw new RecommenderError('DEVICE_FAILED', 'Only uploaded tensors can be freed.');
    this.#heap.free(weight.address);
    weight.lifetime.ended = true;
  }

  run(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]> {
    // At once, not in a microtask: the caller may reuse its arrays after this call.
    return new Promise((resolve) => {
      resolve(this.#execute(program));
    });
  }

  dispose(): void {
    this.#failure ??= new RecommenderError('DEVICE_FAILED', 'The device was disposed.');
  }

  #execute(program: (ops: Primitives) => readonly Tensor[]): Float32Array[] {
    if (this.#failure) throw this.#failure;
    try {
      const results = program(this.#ops);
      return results.map((tensor) => this.#read(WasmTensor.of(tensor)));
    } catch (error) {
      throw RecommenderError.from(error, 'DEVICE_FAILED');
    } finally {
      this.#arena.reset();
    }
  }

  #read({ address, shape, layout }: WasmTensor): Float32Array {
    if (layout !== 'rows') throw new RecommenderError('DEVICE_FAILED', 'Weights are not read back.');
    return this.#results.copy(this.#heap.floats, address / 4, sizeOf(shape));
  }
}
