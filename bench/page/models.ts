import type { LstmShape } from '../../src/compute/training-kernels.ts';
import { HEAD_LAYERS } from '../../src/rank/head.ts';
import { lstmValues, seededValues } from '../../test/helpers/device-programs.ts';

/** The LSTM that is compared: 64 units, one shopper, a history of 50 behaviours. */
export const LSTM: LstmShape = { steps: 50, batch: 1, input: 64, hidden: 64 };

/** Inputs and weights: the same for ours and every peer. */
export const LSTM_VALUES = lstmValues(LSTM);

/** Rows that a head scores at once. */
export const HEAD_ROWS = 500;

/** Layer sizes by name: the head that ships, and the wider one that the design began with. */
export const HEADS = { shipped: [38, ...HEAD_LAYERS, 1], wide: [192, 64, 32, 1] } as const;

export type HeadName = keyof typeof HEADS;

export interface Layer {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] */
  readonly weight: Float32Array;
  /** [rows] */
  readonly bias: Float32Array;
}

/** The layers of a head, relu between them. */
export function headLayers(name: HeadName): Layer[] {
  const sizes = HEADS[name];
  return sizes.slice(1).map((rows, layer) => {
    const columns = sizes[layer]!;
    return { rows, columns, weight: seededValues(rows * columns, 1 / Math.sqrt(columns), 21 + layer), bias: seededValues(rows, 0.5, 31 + layer) };
  });
}

/** What the head scores, [HEAD_ROWS, first size]. */
export function headInput(name: HeadName): Float32Array {
  return seededValues(HEAD_ROWS * HEADS[name][0], 2, 20);
}

/** [columns, rows] of a row-major [rows, columns]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  return out;
}
