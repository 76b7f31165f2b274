import type { Device, Primitives, Tensor } from '../compute/device.ts';
import { RecommenderError } from '../errors.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor, quantisedRows, rowReader, type ReadRow } from '../packs/pack-tensors.ts';

/** Sizes of the encoder, from `dims` of its pack.json. */
export interface BertDims {
  readonly vocabulary: number;
  /** Columns of the factorised word embeddings. */
  readonly embedding: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  /** Most tokens a text may have, [CLS] and [SEP] included. */
  readonly positions: number;
}

interface Linear {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

interface Norm {
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

interface BertLayer {
  readonly qkv: Linear;
  readonly attentionOutput: Linear;
  readonly attentionNorm: Norm;
  readonly inner: Linear;
  readonly outer: Linear;
  readonly outputNorm: Norm;
}

/** BERT's own epsilon, below float32's resolution: only an all-equal row would notice. */
const LAYER_NORM_EPSILON = 1e-12;

/**
 * The distilled text encoder: BERT (Devlin et al. 2019, section 3) with factorised word embeddings (ALBERT, Lan et al.
 * 2020, section 3.1), mean pooling and unit length. Ragged batches: no padding, no mask.
 */
export class Bert {
  readonly dims: BertDims;
  readonly #device: Device;
  readonly #uploaded: Tensor[] = [];
  /** Stays as it is in the pack: of 28,185 rows a batch needs a few dozen. */
  readonly #readWord: ReadRow;
  /** [positions, hidden], with the one token type that is used added in. */
  readonly #positions: Float32Array;
  readonly #projection: Tensor;
  readonly #embeddingNorm: Norm;
  readonly #layers: readonly BertLayer[];

  /**
   * Uploads the weights to the device.
   * @throws RecommenderError `PACK_INVALID` when a tensor is missing or has another shape.
   */
  constructor(device: Device, tensors: SafeTensors, dims: BertDims) {
    const { vocabulary, embedding, hidden, layers, intermediate, positions } = dims;
    if (hidden % dims.heads !== 0) throw new RecommenderError('PACK_INVALID', `${hidden} hidden units do not divide into ${dims.heads} heads.`);
    this.dims = dims;
    this.#device = device;
    const upload = (name: string, shape: readonly number[]): Tensor => {
      const tensor = device.upload(floatTensor(tensors, name, shape), shape);
      this.#uploaded.push(tensor);
      return tensor;
    };
    const matrix = (name: string, rows: number, columns: number): Tensor => {
      const tensor = device.uploadRows(quantisedRows(tensors, name, [rows, columns]));
      this.#uploaded.push(tensor);
      return tensor;
    };
    const linear = (name: string, rows: number, columns: number): Linear => ({
      weight: matrix(`${name}.weight`, rows, columns),
      bias: upload(`${name}.bias`, [rows]),
    });
    const norm = (name: string): Norm => ({ gamma: upload(`${name}.weight`, [hidden]), beta: upload(`${name}.bias`, [hidden]) });
    this.#readWord = rowReader(tensors, 'word.table', [vocabulary, embedding]);
    this.#positions = floatTensor(tensors, 'position', [positions, hidden]);
    this.#projection = matrix('word.projection', hidden, embedding);
    this.#embeddingNorm = norm('embeddings.norm');
    this.#layers = Array.from({ length: layers }, (_, i) => ({
      qkv: linear(`layer.${i}.attention.qkv`, 3 * hidden, hidden),
      attentionOutput: linear(`layer.${i}.attention.output`, hidden, hidden),
      attentionNorm: norm(`layer.${i}.attention.norm`),
      inner: linear(`layer.${i}.feedforward.inner`, intermediate, hidden),
      outer: linear(`layer.${i}.feedforward.outer`, hidden, intermediate),
      outputNorm: norm(`layer.${i}.feedforward.norm`),
    }));
  }

  /**
   * Token ids of each text -> [texts · hidden], unit rows.
   * @throws RecommenderError `DEVICE_FAILED` when the device fails.
   */
  async encode(texts: readonly (readonly number[])[]): Promise<Float32Array> {
    if (texts.length === 0) return new Float32Array(0);
    const lengths = texts.map((ids) => ids.length);
    const [vectors] = await this.#device.run((ops) => [ops.meanPool(this.#forward(ops, texts, lengths), lengths)]); // [texts, hidden]
    return vectors!;
  }

  /**
   * Hidden states of the last layer before they are pooled, [tokens · hidden], the tokens of all texts one after the other: what layers above, not
   * of this encoder, are trained on.
   * @throws RecommenderError `DEVICE_FAILED` when the device fails.
   */
  async hiddenStates(texts: readonly (readonly number[])[]): Promise<Float32Array> {
    const [states] = await this.#device.run((ops) => [this.#forward(ops, texts, texts.map((ids) => ids.length))]); // [tokens, hidden]
    return states!;
  }

  /** Releases the weights; the device lives on. */
  dispose(): void {
    for (const tensor of this.#uploaded.splice(0)) this.#device.free(tensor);
  }

  #forward(ops: Primitives, texts: readonly (readonly number[])[], lengths: readonly number[]): Tensor {
    let x = this.#embed(ops, texts); // [tokens, hidden]
    for (const layer of this.#layers) {
      const qkv = ops.linear(x, layer.qkv.weight, layer.qkv.bias); // [tokens, 3 · hidden]
      const mixed = ops.attention(qkv, lengths, this.dims.heads); // [tokens, hidden]
      const attended = ops.linear(mixed, layer.attentionOutput.weight, layer.attentionOutput.bias); // [tokens, hidden]
      x = ops.addLayerNorm(attended, x, layer.attentionNorm.gamma, layer.attentionNorm.beta, LAYER_NORM_EPSILON); // [tokens, hidden]
      const inner = ops.linear(x, layer.inner.weight, layer.inner.bias, 'gelu'); // [tokens, intermediate]
      const outer = ops.linear(inner, layer.outer.weight, layer.outer.bias); // [tokens, hidden]
      x = ops.addLayerNorm(outer, x, layer.outputNorm.gamma, layer.outputNorm.beta, LAYER_NORM_EPSILON); // [tokens, hidden]
    }
    return x;
  }

  #embed(ops: Primitives, texts: readonly (readonly number[])[]): Tensor {
    const { embedding, hidden } = this.dims;
    const tokens = texts.reduce((sum, ids) => sum + ids.length, 0);
    const words = new Float32Array(tokens * embedding);
    const positions = new Float32Array(tokens * hidden);
    let token = 0;
    for (const ids of texts) {
      positions.set(this.#positions.subarray(0, ids.length * hidden), token * hidden);
      for (const id of ids) this.#readWord(id, words, token++ * embedding);
    }
    const narrow = ops.input(words, [tokens, embedding]); // [tokens, embedding]
    const wide = ops.linear(narrow, this.#projection, null); // [tokens, hidden]
    const placed = ops.input(positions, [tokens, hidden]); // [tokens, hidden]
    return ops.addLayerNorm(wide, placed, this.#embeddingNorm.gamma, this.#embeddingNorm.beta, LAYER_NORM_EPSILON); // [tokens, hidden]
  }
}
