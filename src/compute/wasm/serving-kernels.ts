import { wasmFailure, inflateKernels } from './instantiate.ts';
import { WasmHeap } from './heap.ts';

/** Exports of `assembly/serving-f32.ts` and `assembly/serving-int8.ts`: addresses are bytes, sizes are elements. */
export type ServingKernels = {
  heapStart(): number;
  workBytes(n: number, k: number): number;
  rightBytes(columns: number, k: number): number;
  packRight(target: number, b: number, stride: number, n: number, k: number, transposed: number): void;
  linear(out: number, x: number, panels: number, bias: number, n: number, m: number, k: number, activation: number, work: number): void;
  quantisedBytes(m: number, k: number): number;
  packQuantised(target: number, rows: number, scales: number, m: number, k: number): void;
  linearQuantised(out: number, x: number, weights: number, bias: number, n: number, m: number, k: number, activation: number, work: number): void;
  dotRows(out: number, step: number, x: number, rows: number, count: number, k: number): void;
  biasActivation(x: number, bias: number, rows: number, columns: number, activation: number): void;
  addLayerNorm(out: number, x: number, residual: number, gamma: number, beta: number, rows: number, size: number, epsilon: number): void;
  attentionBytes(length: number, headSize: number): number;
  attention(out: number, qkv: number, lengths: number, texts: number, size: number, heads: number, work: number): void;
  meanPool(out: number, x: number, lengths: number, texts: number, size: number): void;
  lstm(state: number, x: number, inputPanels: number, hiddenPanels: number, bias: number, gates: number, steps: number, batch: number, input: number, size: number, work: number): void;
};

// Each is a chunk of its own: a browser fetches the one that it runs.
const MODULES = {
  'int8-relaxed': () => import('./int8-relaxed.generated.ts'),
  'f32-relaxed': () => import('./f32-relaxed.generated.ts'),
  'f32-simd': () => import('./f32-simd.generated.ts'),
};

/** The arithmetic of a kernel module; see `createWasmDevice()`. */
export type WasmKernel = keyof typeof MODULES;

/** A module of one function with `i8x16.relaxed_swizzle`, without which a browser has no other relaxed instruction. */
const RELAXED_PROBE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11);

/** The best kernel that this browser accepts. @throws RecommenderError `DEVICE_FAILED` without WebAssembly. */
export function bestWasmKernel(): WasmKernel {
  try {
    return WebAssembly.validate(RELAXED_PROBE) ? 'int8-relaxed' : 'f32-simd';
  } catch (error) {
    throw wasmFailure(error);
  }
}

/** Fetches and compiles serving kernels, over a heap of their own. @throws RecommenderError `DEVICE_FAILED` */
export async function loadServingKernels(kernel: WasmKernel): Promise<{ kernels: ServingKernels; heap: WasmHeap }> {
  try {
    const { KERNELS_BASE64 } = await MODULES[kernel]();
    const heap = new WasmHeap();
    const { instance } = await WebAssembly.instantiate(await inflateKernels(KERNELS_BASE64), { env: { memory: heap.memory } });
    const kernels = instance.exports as ServingKernels;
    heap.start(kernels.heapStart());
    return { kernels, heap };
  } catch (error) {
    throw wasmFailure(error);
  }
}
