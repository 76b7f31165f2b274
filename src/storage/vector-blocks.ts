import { quantiseUnitRows } from '../lib/quantised-rows.ts';
import type { VectorBlock } from './shopper-store.ts';

/** A block as databases of version 1 have it. */
export interface FloatBlock extends Pick<VectorBlock, 'encoderRevision' | 'keys'> {
  readonly dimensions: number;
  /** [keys · dimensions] */
  readonly values: Float32Array;
}

export function toQuantisedBlock({ encoderRevision, keys, dimensions, values }: FloatBlock): VectorBlock {
  return { encoderRevision, keys, ...quantiseUnitRows(values, dimensions) };
}

/** One block of several of the same revision (at least one) and size; of a text that is in more than one, the last counts. */
export function joinBlocks(blocks: readonly VectorBlock[]): VectorBlock {
  const { encoderRevision, columns } = blocks[0]!;
  const sources = new Map<string, readonly [block: VectorBlock, row: number]>();
  for (const block of blocks) block.keys.forEach((key, row) => sources.set(key, [block, row]));
  const values = new Int8Array(sources.size * columns);
  const scales = new Float32Array(sources.size);
  let row = 0;
  for (const [block, from] of sources.values()) {
    values.set(block.values.subarray(from * columns, (from + 1) * columns), row * columns);
    scales[row++] = block.scales[from]!;
  }
  return { encoderRevision, keys: [...sources.keys()], values, scales, columns };
}
