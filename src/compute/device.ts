import type { RecommenderError } from '../errors.ts';
import type { QuantisedRows } from '../lib/quantised-rows.ts';
import type { DeviceName } from '../types.ts';

/** Row-major float32 values that live on a device. */
export interface Tensor {
  readonly shape: readonly number[];
}

export type Activation = 'none' | 'relu' | 'gelu' | 'tanh';

/** The kinds of work that a device may serve; each is checked on golden vectors of its own. */
export type Workload = 'encode' | 'sequence' | 'score';

/** Weights of one LSTM layer, gates in the order input, forget, cell, output (as in PyTorch and in Hochreiter & Schmidhuber 1997 with Gers et al. 2000's forget gate). */
export interface LstmWeights {
  /** [4 · hidden, input] */
  readonly inputWeights: Tensor;
  /** [4 · hidden, hidden] */
  readonly hiddenWeights: Tensor;
  /** [4 · hidden] */
  readonly bias: Tensor;
}

/**
 * The fused primitives that every model is written in; all tensors are row-major float32.
 * Calls only enqueue work: values come back once, at the end of `Device.run()`.
 */
export interface Primitives {
  /** Brings values to the device for the length of the run. */
  input(values: Float32Array, shape: readonly number[]): Tensor;
  /** activation(x · weightᵀ + bias): [n, k] and [m, k] -> [n, m]; a dot-product score is this without bias. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null, activation?: Activation): Tensor;
  /** LayerNorm(x + residual) · gamma + beta over the last dimension: [n, d] -> [n, d]. */
  addLayerNorm(x: Tensor, residual: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): Tensor;
  /**
   * Multi-head self-attention inside each text of a ragged batch: qkv is [tokens, 3 · hidden] (q, k, v side by side),
   * `lengths` gives the tokens per text and sums to the rows -> [tokens, hidden].
   */
  attention(qkv: Tensor, lengths: readonly number[], heads: number): Tensor;
  /** Mean over each text's tokens, then unit length: [tokens, hidden] -> [texts, hidden]. */
  meanPool(x: Tensor, lengths: readonly number[]): Tensor;
  /**
   * Runs an LSTM over a sequence in one call: x [steps, batch, input], state [2, batch, hidden] (h, then c)
   * -> the state after the last step, [2, batch, hidden].
   */
  lstm(x: Tensor, weights: LstmWeights, state: Tensor): Tensor;
}

/** A place where models run. One interface, four homes: webgpu, wasm, reference, tfjs. */
export interface Device {
  readonly name: DeviceName;
  /** Names the arithmetic, for instance `simd-f32`: state computed with one kernel is not continued with another. */
  readonly kernel: string;
  readonly supports: ReadonlySet<Workload>;
  /** Resolves when the device is lost (never because of `dispose()`): its runs have failed, and only a new device can serve again. */
  readonly lost?: Promise<RecommenderError>;
  /** Uploads weights; they stay until `free()` or `dispose()`. */
  upload(values: Float32Array, shape: readonly number[]): Tensor;
  /**
   * Uploads a weight matrix of int8 rows, [rows, columns], as `linear`'s weight. A device with int8 arithmetic multiplies
   * it as it is, with activations of 7 bits; the others widen it to float32.
   */
  uploadRows(rows: QuantisedRows): Tensor;
  free(tensor: Tensor): void;
  /**
   * Prepares in the background what runs of other sizes than those so far would wait for; for idle time, once every model
   * has run (its golden vectors do). Runs may go on meanwhile.
   */
  warmUp?(): Promise<void>;
  /**
   * Runs a program and reads its results back in one go; everything made inside is released. Results may share a buffer:
   * none is to be transferred, and who stores one stores a `slice()`.
   * @throws RecommenderError `DEVICE_FAILED` when the device is lost or refuses.
   */
  run(program: (ops: Primitives) => readonly Tensor[]): Promise<Float32Array[]>;
  dispose(): void;
}
