import { wasmFailure, decodeKernels } from './instantiate.ts';
import { WasmHeap } from './heap.ts';
import { KERNELS_BASE64 } from './kernels.generated.ts';

/** Exports of `assembly/serving.ts`: addresses are bytes, sizes are elements. */
export type ServingKernels = {
  heapStart(): number;
  leftBytes(rows: number, k: number): number;
  rightBytes(columns: number, k: number): number;
  packRight(target: number, b: number, stride: number, n: number, k: number, transposed: number): void;
  multiplyPacked(out: number, x: number, panels: number, n: number, m: number, k: number, accumulate: number, work: number): void;
  dotRows(out: number, step: number, x: number, rows: number, count: number, k: number): void;
  biasActivation(x: number, bias: number, rows: number, columns: number, activation: number): void;
  addLayerNorm(out: number, x: number, residual: number, gamma: number, beta: number, rows: number, size: number, epsilon: number): void;
  attention(out: number, qkv: number, lengths: number, texts: number, size: number, heads: number, scores: number): void;
  meanPool(out: number, x: number, lengths: number, texts: number, size: number): void;
  lstmSteps(state: number, gates: number, panels: number, bias: number, steps: number, batch: number, size: number, work: number): void;
};

/** Compiles the serving kernels over a heap of their own. @throws RecommenderError `DEVICE_FAILED` */
export async function loadServingKernels(): Promise<{ kernels: ServingKernels; heap: WasmHeap }> {
  try {
    const heap = new WasmHeap();
    const { instance } = await WebAssembly.instantiate(decodeKernels(KERNELS_BASE64), { env: { memory: heap.memory } });
    const kernels = instance.exports as ServingKernels;
    heap.start(kernels.heapStart());
    return { kernels, heap };
  } catch (error) {
    throw wasmFailure(error);
  }
}
