import type { BertDims } from '../../src/encoder/bert.ts';
import { dimsOf } from '../../src/encoder/encoder-files.ts';
import type { QuantisedRows } from '../../src/lib/quantised-rows.ts';
import { parseSafetensors } from '../../src/lib/safetensors.ts';
import { packFile } from '../../src/packs/load-pack.ts';
import { floatTensor, quantisedRows } from '../../src/packs/pack-tensors.ts';
import type { Pack } from '../../src/packs/pack.ts';

/** The weights of an encoder pack by name, however the pack stores them. */
export interface EncoderWeights {
  readonly dims: BertDims;
  /** The tokens in the order of their ids. */
  readonly vocabulary: readonly string[];
  matrix(name: string, shape: readonly [rows: number, columns: number]): QuantisedRows;
  floats(name: string, shape: readonly number[]): Float32Array;
}

/**
 * Reads the weights of an encoder pack.
 * @throws RecommenderError `PACK_INVALID` when it is no encoder, or when a tensor that is asked for is missing or has another shape.
 */
export function readEncoderWeights(pack: Pack): EncoderWeights {
  const files = [...pack.files.keys()].filter((name) => name.endsWith('.safetensors') && !name.startsWith('golden'));
  const tensors = new Map(files.flatMap((name) => [...parseSafetensors(packFile(pack, name))]));
  return {
    dims: dimsOf(pack),
    vocabulary: new TextDecoder().decode(packFile(pack, 'vocab.txt')).replace(/\r?\n$/, '').split(/\r?\n/),
    matrix: (name, shape) => quantisedRows(tensors, name, shape),
    floats: (name, shape) => floatTensor(tensors, name, shape),
  };
}
