import { RecommenderError } from '../errors.ts';
import type { QuantisedRows } from '../lib/quantised-rows.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import type { BertDims } from './bert.ts';
import type { ItemEncoder } from './item-encoder.ts';
import type { WordPieceTokenizer } from './tokenizer.ts';

/** What the static tier is made of; it shares tokenizer and word embeddings with the encoder that it stands in for. */
export interface StaticParts {
  readonly revision: string;
  readonly dims: Pick<BertDims, 'vocabulary' | 'embedding' | 'hidden'>;
  readonly tokenizer: WordPieceTokenizer;
  /** [vocabulary, embedding] */
  readonly words: QuantisedRows;
  /** `static.weight` [vocabulary], `static.projection` [hidden, embedding], `static.bias` [hidden] */
  readonly tensors: SafeTensors;
}

/**
 * The static tier: unit(P · Σ w_t · e_t / Σ w_t + b) over a text's tokens t, in the space of the encoder and in microseconds; the
 * weights are learnt (frequent words count less, as in SIF, Arora et al. 2017). A text without tokens gives unit(b).
 * @throws RecommenderError `PACK_INVALID` when a tensor is missing or has another shape.
 */
export function createStaticEncoder({ revision, dims, tokenizer, words, tensors }: StaticParts): ItemEncoder {
  const { vocabulary, embedding, hidden } = dims;
  const weights = floatTensor(tensors, 'static.weight', [vocabulary]);
  const projection = floatTensor(tensors, 'static.projection', [hidden, embedding]);
  const bias = floatTensor(tensors, 'static.bias', [hidden]);
  const table = words.values;

  /** Σ w_t · e_t / Σ w_t, [embedding] */
  function mean(text: string, out: Float32Array): void {
    out.fill(0);
    let total = 0;
    for (const id of tokenizer.tokenize(text).slice(1, -1)) {
      total += weights[id]!;
      const weight = weights[id]! * words.scales[id]!;
      for (let k = 0; k < embedding; k++) out[k]! += weight * table[id * embedding + k]!;
    }
    if (total > 0) for (let k = 0; k < embedding; k++) out[k]! /= total;
  }

  return {
    revision,
    dimensions: hidden,
    encode(texts, { signal } = {}) {
      if (signal?.aborted) return Promise.reject(new RecommenderError('ABORTED', undefined, { cause: signal.reason }));
      const vectors = new Float32Array(texts.length * hidden);
      const pooled = new Float32Array(embedding);
      texts.forEach((text, row) => {
        mean(text, pooled);
        let square = 0;
        for (let unit = 0; unit < hidden; unit++) {
          let sum = bias[unit]!;
          for (let k = 0, at = unit * embedding; k < embedding; k++) sum += projection[at + k]! * pooled[k]!;
          vectors[row * hidden + unit] = sum;
          square += sum * sum;
        }
        const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
        for (let unit = row * hidden; unit < (row + 1) * hidden; unit++) vectors[unit]! *= scale;
      });
      return Promise.resolve(vectors);
    },
  };
}
