import type { Device, LstmWeights, Primitives, Tensor } from '../compute/device.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import type { SequenceKind } from '../packs/sequence-kinds.ts';
import { floatTensor } from '../packs/pack-tensors.ts';

/** Sizes that the tensors of a sequence model agree with. */
export interface SequenceSizes {
  /** Columns of what is read at each step. */
  readonly width: number;
  readonly hidden: number;
}

/** Reads behaviours in order; its state is a plain array that a checkpoint keeps, and begins with h_u(t), [hidden]. */
export interface SequenceModel {
  /** The arithmetic of now, which names whose states may be continued. */
  readonly kernel: string;
  /** The state after `steps` rows of `rows()`, [steps, width]; from null, that of nothing read. The argument is not changed. */
  advance(state: Float32Array | null, steps: number, rows: () => Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** One step of a model in plain TypeScript, which overwrites the state. */
export interface PlainSequence {
  /** Length of a state; zeros before anything is read. */
  readonly stateLength: number;
  /** Reads x [width]. */
  step(state: Float32Array, x: Float32Array): void;
}

/** @throws RecommenderError `PACK_INVALID` when a tensor is missing or of another shape; for models other than the LSTM, from `advance`. */
export function createSequenceModel(kind: SequenceKind, tensors: SafeTensors, sizes: SequenceSizes, device: Device): SequenceModel {
  switch (kind) {
    case 'lstm':
      return createLstm(tensors, sizes, device);
    case 'gru':
      return createPlain(kind, sizes, async () => (await import('./gru.ts')).createGru(tensors, sizes));
    case 'transformer':
      return createPlain(kind, sizes, async () => (await import('./transformer.ts')).createTransformer(tensors, sizes));
  }
}

/** The LSTM on its device; a state is [2 · hidden]. */
function createLstm(tensors: SafeTensors, { width, hidden }: SequenceSizes, device: Device): SequenceModel {
  const upload = (name: string, ...shape: number[]): Tensor => device.upload(floatTensor(tensors, name, shape), shape);
  const weights: LstmWeights = {
    inputWeights: upload('lstm.input', 4 * hidden, width),
    hiddenWeights: upload('lstm.hidden', 4 * hidden, hidden),
    bias: upload('lstm.bias', 4 * hidden),
  };
  return {
    get kernel() {
      return `${device.name}/${device.kernel}`;
    },
    async advance(state, steps, rows) {
      // The rows are written inside the program, which another device may run again while a later call waits.
      const program = (ops: Primitives): Tensor[] => [ops.lstm(ops.input(rows(), [steps, 1, width]), weights, ops.input(state ?? new Float32Array(2 * hidden), [2, 1, hidden]))];
      const [after] = await device.run(program);
      return after!;
    },
    dispose() {
      for (const tensor of Object.values(weights) as Tensor[]) device.free(tensor);
    },
  };
}

/** A model whose code is fetched with its first step: pages with an LSTM never load it. */
function createPlain(kind: SequenceKind, { width }: SequenceSizes, load: () => Promise<PlainSequence>): SequenceModel {
  let loading: Promise<PlainSequence> | undefined;
  return {
    kernel: `plain/${kind}`,
    async advance(state, steps, rows) {
      const model = await (loading ??= load());
      const x = rows();
      const after = state?.slice() ?? new Float32Array(model.stateLength);
      for (let step = 0; step < steps; step++) model.step(after, x.subarray(step * width, (step + 1) * width));
      return after;
    },
    dispose: () => undefined,
  };
}
