import type { Device } from '../compute/device.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor, quantisedRows, type ReadRow } from '../packs/pack-tensors.ts';
import type { BertDims } from './bert.ts';
import type { ItemEncoder } from './item-encoder.ts';
import type { WordPieceTokenizer } from './tokenizer.ts';

/** What the static tier is made of; it shares tokenizer and word embeddings with the encoder that it stands in for. */
export interface StaticParts {
  readonly revision: string;
  readonly dims: Pick<BertDims, 'vocabulary' | 'embedding' | 'hidden'>;
  readonly tokenizer: WordPieceTokenizer;
  /** Reads word embeddings, [vocabulary, embedding]. */
  readonly readWord: ReadRow;
  /** `static.weight` [vocabulary], `static.projection` [hidden, embedding], `static.bias` [hidden] */
  readonly tensors: SafeTensors;
}

/**
 * The static tier: unit(P · Σ w_t · e_t / Σ w_t + b) over a text's tokens t, in the space of the encoder and in microseconds; the
 * weights are learnt (frequent words count less, as in SIF, Arora et al. 2017). A text without tokens gives unit(b).
 * @throws RecommenderError `PACK_INVALID` when a tensor is missing or has another shape.
 */
export function createStaticEncoder({ revision, dims, tokenizer, readWord, tensors }: StaticParts, device: Device): ItemEncoder {
  const { vocabulary, embedding, hidden } = dims;
  const weights = floatTensor(tensors, 'static.weight', [vocabulary]);
  const projection = device.uploadRows(quantisedRows(tensors, 'static.projection', [hidden, embedding]));
  const bias = device.upload(floatTensor(tensors, 'static.bias', [hidden]), [hidden]);
  const word = new Float32Array(embedding);

  /** Σ w_t · e_t / Σ w_t of each text, [texts, embedding] */
  function means(texts: readonly string[]): Float32Array {
    const out = new Float32Array(texts.length * embedding);
    texts.forEach((text, row) => {
      const mean = out.subarray(row * embedding, (row + 1) * embedding);
      const ids = tokenizer.tokenize(text).slice(1, -1);
      const total = ids.reduce((sum, id) => sum + weights[id]!, 0);
      for (const id of ids) {
        const weight = weights[id]! / total;
        readWord(id, word, 0);
        for (let k = 0; k < embedding; k++) mean[k]! += weight * word[k]!;
      }
    });
    return out;
  }

  return {
    revision,
    dimensions: hidden,
    async encode(texts) {
      if (texts.length === 0) return new Float32Array(0);
      const [vectors] = await device.run((ops) => [ops.linear(ops.input(means(texts), [texts.length, embedding]), projection, bias)]); // [texts, hidden]
      for (let start = 0; start < vectors!.length; start += hidden) toUnitLength(vectors!, start, start + hidden);
      return vectors!;
    },
  };
}

/** A plain loop in a function of its own, which is soon optimised: before that, and in `reduce()`, each number is an object on the heap. */
function toUnitLength(vectors: Float32Array, start: number, end: number): void {
  let square = 0;
  for (let at = start; at < end; at++) square += vectors[at]! * vectors[at]!;
  const length = Math.sqrt(square) || 1;
  for (let at = start; at < end; at++) vectors[at]! /= length;
}
