import { RecommenderError } from '../../errors.ts';
import { dequantiseRows, type QuantisedRows } from '../../lib/quantised-rows.ts';
import { checkFilled, sizeOf } from '../dimensions.ts';
import type { Device, Primitives, Tensor, Workload } from '../device.ts';
import { Arena, type WasmHeap } from './heap.ts';
import { createWasmPrimitives } from './primitives.ts';
import { loadServingKernels, type ServingKernels } from './serving-kernels.ts';
import { type Lifetime, WasmTensor } from './tensor.ts';

/**
 * Our own float32 kernels in plain WebAssembly SIMD. Weights are re-packed for the matrix product when they are first
 * used. A row's product with them has the same bits whatever stands beside it, and so has an LSTM's state, whether its
 * steps come in one call or one by one.
 * @throws RecommenderError `DEVICE_FAILED` where WebAssembly or its SIMD is missing or the page's policy forbids it.
 */
export async function createWasmDevice(): Promise<Device> {
  const { kernels, heap } = await loadServingKernels();
  return new WasmDevice(kernels, heap);
}

class WasmDevice implements Device {
  readonly name = 'wasm';
  readonly kernel = 'simd-f32';
  readonly supports: ReadonlySet<Workload> = new Set(['encode', 'sequence', 'score']);
  readonly #kernels: ServingKernels;
  readonly #heap: WasmHeap;
  readonly #arena: Arena;
  #failure: RecommenderError | undefined;

  constructor(kernels: ServingKernels, heap: WasmHeap) {
    this.#kernels = kernels;
    this.#heap = heap;
    this.#arena = new Arena(heap);
  }

  upload(values: Float32Array, shape: readonly number[]): Tensor {
    if (this.#failure) throw this.#failure;
    checkFilled(values, shape);
    const tensor = new WasmTensor(shape, this.#heap.allocate(values.byteLength), { lifetime: { ended: false }, isWeight: true });
    this.#heap.floats.set(values, tensor.address / 4);
    return tensor;
  }

  uploadRows(rows: QuantisedRows): Tensor {
    return this.upload(dequantiseRows(rows), [rows.scales.length, rows.columns]);
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
    const lifetime: Lifetime = { ended: false };
    try {
      const results = program(createWasmPrimitives(this.#kernels, this.#heap, this.#arena, lifetime));
      return results.map((tensor) => this.#read(WasmTensor.of(tensor)));
    } catch (error) {
      throw RecommenderError.from(error, 'DEVICE_FAILED');
    } finally {
      lifetime.ended = true;
      this.#arena.reset();
    }
  }

  #read({ address, shape, packed }: WasmTensor): Float32Array {
    if (packed) throw new RecommenderError('DEVICE_FAILED', 'Weights are not read back.');
    return this.#heap.floats.slice(address / 4, address / 4 + sizeOf(shape));
  }
}
