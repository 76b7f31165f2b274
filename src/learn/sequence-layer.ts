import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import type { SequenceKind } from '../packs/sequence-kinds.ts';
import { createGruLayer, gruPlan } from './gru-layer.ts';
import { createLstmLayer, lstmPlan } from './lstm-layer.ts';
import type { ParameterPlan, ParameterSet } from './parameters.ts';
import { createTransformerLayer, transformerPlan, type TransformerOptions } from './transformer-layer.ts';

/** How a sequence model reads what came before. */
export type SequenceOptions = { readonly kind: Exclude<SequenceKind, 'transformer'> } | TransformerOptions;

export interface SequenceShape {
  readonly lanes: number;
  readonly steps: number;
  /** Columns of what is read at each step. */
  readonly input: number;
  readonly hidden: number;
}

/**
 * A layer over chunks of events (row = step · lanes + lane) that carries its state from one chunk to the next. Its parameters are in
 * the network's set under names of its own, and its arrays are kernel memory.
 */
export interface SequenceLayer {
  /** Forgets every lane's state. */
  resetState(): void;
  /**
   * x [rows, input] -> hidden [rows, hidden], a view that is valid until the next call. `keep` [rows] is 0 where a new sequence starts
   * and 1 elsewhere. `random` draws the layer's own dropout; null for none. Keeps what `backward` needs.
   */
  forward(x: Float32Array, keep: Float32Array, random: Random | null): Float32Array;
  /** From d(loss)/d(hidden) of the last `forward`, within the chunk: adds to the parameters' gradients, and overwrites `xGradient`. */
  backward(xGradient: Float32Array, hiddenGradient: Float32Array, x: Float32Array, keep: Float32Array): void;
}

/** What a layer's parameters are, in the order in which they are drawn. */
export function sequencePlan(options: SequenceOptions, shape: SequenceShape): ParameterPlan {
  switch (options.kind) {
    case 'lstm':
      return lstmPlan(shape);
    case 'gru':
      return gruPlan(shape);
    case 'transformer':
      return transformerPlan(shape, options);
  }
}

export function createSequenceLayer(options: SequenceOptions, shape: SequenceShape, parameters: ParameterSet, kernels: TrainingKernels): SequenceLayer {
  switch (options.kind) {
    case 'lstm':
      return createLstmLayer(shape, parameters, kernels);
    case 'gru':
      return createGruLayer(shape, parameters, kernels);
    case 'transformer':
      return createTransformerLayer(shape, parameters, kernels, options);
  }
}
