/** One LSTM layer's forward values that its backward pass needs; all in kernel memory. */
export interface LstmTape {
  /** [steps, batch, 4 · hidden] gate values after their nonlinearities, order input, forget, cell, output. */
  readonly gates: Float32Array;
  /** [steps, batch, hidden] */
  readonly hidden: Float32Array;
  /** [steps, batch, hidden] */
  readonly cell: Float32Array;
}

export interface LstmShape {
  readonly steps: number;
  readonly batch: number;
  readonly input: number;
  readonly hidden: number;
}

export interface LstmParameters {
  /** [4 · hidden, input] */
  readonly inputWeights: Float32Array;
  /** [4 · hidden, hidden] */
  readonly hiddenWeights: Float32Array;
  /** [4 · hidden] */
  readonly bias: Float32Array;
}

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1-based, for the bias correction. */
  readonly step: number;
}

/**
 * The arithmetic of training, the same in Node and in the browser; every array must come from `allocate()`.
 * Plain TypeScript and WebAssembly SIMD twins exist; both are deterministic.
 */
export interface TrainingKernels {
  readonly name: string;
  /** Zeroed memory that lives until `release()` of all. */
  allocate(length: number): Float32Array;
  release(): void;
  /** out [m, n] = a · b (+ out if accumulate); a is [m, k] or, transposed, [k, m]; b is [k, n] or, transposed, [n, k]. */
  matmul(
    out: Float32Array,
    a: Float32Array,
    b: Float32Array,
    shape: { m: number; n: number; k: number },
    options?: { transposeA?: boolean; transposeB?: boolean; accumulate?: boolean },
  ): void;
  /**
   * LSTM over [steps, batch, input]. Before step t, state rows are multiplied by keep[t, batch] (0 starts a new
   * shopper's sequence, 1 goes on). `state` is [2, batch, hidden] and holds the state after the last step on return.
   */
  lstmForward(tape: LstmTape, x: Float32Array, parameters: LstmParameters, state: Float32Array, keep: Float32Array, shape: LstmShape): void;
  /**
   * Back-propagation through time of `lstmForward` (truncated at the first step): from d(loss)/d(hidden) [steps, batch,
   * hidden] it adds to `gradients` and writes d(loss)/d(x) into `gradientX`. `initialState` is the state before step 0.
   */
  lstmBackward(
    gradients: LstmParameters,
    gradientX: Float32Array,
    gradientHidden: Float32Array,
    tape: LstmTape,
    x: Float32Array,
    parameters: LstmParameters,
    initialState: Float32Array,
    keep: Float32Array,
    shape: LstmShape,
  ): void;
  /**
   * Softmax cross-entropy over full rows: logits [rows, classes] are overwritten with d(loss)/d(logits), already
   * multiplied by weights[row]; rows with weight 0 become zeros. Returns Σ weight · loss.
   */
  softmaxCrossEntropy(logits: Float32Array, targets: Int32Array, weights: Float32Array, shape: { rows: number; classes: number }): number;
  /**
   * Sigmoid cross-entropy over full rows, in which one class is right and the others are wrong: Σ weight · (positiveWeight ·
   * -log σ(right) + Σ -log(1 - σ(wrong))) is returned, and logits [rows, classes] are overwritten with its gradient; rows with
   * weight 0 become zeros.
   */
  binaryCrossEntropy(logits: Float32Array, targets: Int32Array, weights: Float32Array, shape: { rows: number; classes: number; positiveWeight: number }): number;
  /** AdamW (Loshchilov & Hutter 2019, algorithm 2), in place. */
  adamW(parameters: Float32Array, gradients: Float32Array, first: Float32Array, second: Float32Array, options: AdamWOptions): void;
  /** Σ x², for gradient clipping. */
  sumOfSquares(x: Float32Array): number;
  /** x *= factor. */
  scale(x: Float32Array, factor: number): void;
  /** Each of values [rows, columns] += bias [columns]. */
  addBias(values: Float32Array, bias: Float32Array, shape: { rows: number; columns: number }): void;
  /** sums [columns] += Σ values [rows, columns]: the gradient of a bias. */
  addColumns(sums: Float32Array, values: Float32Array, shape: { rows: number; columns: number }): void;
}
