import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { LowRankMatrix } from './lora.ts';
import type { ParameterSet } from './parameters.ts';

/**
 * What a training changes of a model that was trained before: everything; a difference of low rank to its matrices; or the layers behind the hidden state
 * and the items' biases. All of them ship as the model's own matrices.
 */
export type AdapterOptions = { readonly kind: 'full' } | { readonly kind: 'lora'; readonly rank: number } | { readonly kind: 'head-only' };

/** Groups that are behind the hidden state; see PARAMETER_GROUPS. */
const HEAD_GROUPS = ['user', 'kind', 'days', 'items'];
/** A row of its own for each item: no matrix that a low rank would fit. */
const ITEM_ROWS = 'residual';

export interface AdaptedParameters {
  /** What the optimiser steps. */
  readonly learning: ParameterSet;
  /** Those of them that are not the model's own: a checkpoint needs them, too. */
  readonly added: ParameterSet;
  /** Before a step: from the gradients of the model's matrices to those of what is added. */
  project(): void;
  /** After a step: from what is added to the model's matrices. */
  refresh(): void;
}

/** `parameters` are the model's as they start; `learns` may keep more of them as they are, by name. */
export function adaptParameters(options: AdapterOptions, parameters: ParameterSet, learns: (name: string) => boolean, kernels: TrainingKernels, random: Random): AdaptedParameters {
  const nothing = { added: new Map(), project: () => undefined, refresh: () => undefined };
  const own = (keep: (name: string) => boolean): ParameterSet => new Map([...parameters].filter(([name]) => learns(name) && keep(name)));
  switch (options.kind) {
    case 'full':
      return { ...nothing, learning: own(() => true) };
    case 'head-only':
      return { ...nothing, learning: own((name) => HEAD_GROUPS.includes(name.split('.')[0]!)) };
    case 'lora': {
      const differences = [...own((name) => name !== ITEM_ROWS)].flatMap(([name, { shape, values, gradient }]) => {
        const [rows = 0, columns = 0] = shape;
        const isMatrix = shape.length === 2 && Math.min(rows, columns) > options.rank;
        return isMatrix ? [{ name, gradient, matrix: new LowRankMatrix(values, [rows, columns], options.rank, kernels, random) }] : [];
      });
      const added: ParameterSet = new Map(differences.flatMap(({ name, matrix }) => [...matrix.parameters].map(([part, parameter]) => [`${name}.${part}`, parameter] as const)));
      return {
        learning: added,
        added,
        project() {
          for (const { gradient } of added.values()) gradient.fill(0);
          for (const { matrix, gradient } of differences) matrix.addGradient(gradient);
        },
        refresh() {
          for (const { matrix } of differences) matrix.refresh();
        },
      };
    }
  }
}

export function countNumbers(parameters: ParameterSet): number {
  return [...parameters.values()].reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
