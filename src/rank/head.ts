import type { Device, Tensor } from '../compute/device.ts';
import { RecommenderError } from '../errors.ts';
import type { SafeTensors } from '../lib/safetensors.ts';
import { floatTensor } from '../packs/pack-tensors.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA, OLDEST_FEATURE_VERSION, type FeatureName } from './feature-schema.ts';
import { FEATURE_COUNT } from './features.ts';

/** Sizes of the head's two hidden layers. */
export const HEAD_LAYERS = [64, 32] as const;

const CLIP = 5; // standard deviations; an outlier must not outshout the rest

export interface HeadSchema {
  readonly name: string;
  readonly version: number;
  readonly names: readonly string[];
}

/**
 * The features that a pack's head reads, as columns of the full feature rows.
 * @throws RecommenderError `PACK_INVALID` for another schema, a version that is not read or an unknown name.
 */
export function featureColumns(schema: HeadSchema): number[] {
  const { name: known, version } = FEATURE_SCHEMA;
  if (schema.name !== known || !(schema.version >= OLDEST_FEATURE_VERSION && schema.version <= version)) {
    throw new RecommenderError('PACK_INVALID', `Its features are ${schema.name} ${schema.version}; this SDK reads ${known} ${OLDEST_FEATURE_VERSION} to ${version}.`);
  }
  return schema.names.map((name) => {
    const column = FEATURE_NAMES.indexOf(name as FeatureName);
    if (column < 0) throw new RecommenderError('PACK_INVALID', `Its head reads the unknown feature ${name}.`);
    return column;
  });
}

/** Standardised values and missing masks side by side: [rows, FEATURE_COUNT] -> [rows, 2 · columns]. */
export function standardise(features: Float32Array, columns: readonly number[], mean: Float32Array, deviation: Float32Array): Float32Array {
  const rows = features.length / FEATURE_COUNT;
  const width = 2 * columns.length;
  const out = new Float32Array(rows * width);
  columns.forEach((column, k) => {
    const [middle, spread] = [mean[k]!, deviation[k]!];
    for (let row = 0; row < rows; row++) {
      const value = features[row * FEATURE_COUNT + column]!;
      const isMissing = Number.isNaN(value);
      out[row * width + k] = isMissing ? 0 : Math.max(-CLIP, Math.min(CLIP, (value - middle) / spread));
      out[row * width + columns.length + k] = isMissing ? 1 : 0;
    }
  });
  return out;
}

/**
 * The joint head y(u,i,t) = f_DNN(features of u, i and t; h_u(t)): two relu layers over a candidate's features, with the
 * shopper's hidden state h_u as a bias of the first layer (the same for all candidates, so it is computed once).
 */
export class JointHead {
  readonly #device: Device;
  readonly #columns: readonly number[];
  readonly #mean: Float32Array;
  readonly #deviation: Float32Array;
  readonly #hidden: number;
  readonly #context: Float32Array | null; // [first, hidden]
  readonly #firstBias: Float32Array; // [first]
  readonly #layers: readonly { readonly weight: Tensor; readonly bias: Tensor }[];

  /** @param hidden size of h_u; 0 for a head without it. */
  constructor(tensors: SafeTensors, schema: HeadSchema, hidden: number, device: Device) {
    this.#device = device;
    this.#columns = featureColumns(schema);
    const count = this.#columns.length;
    this.#mean = floatTensor(tensors, 'features.mean', [count]);
    this.#deviation = floatTensor(tensors, 'features.deviation', [count]);
    this.#hidden = hidden;
    const upload = (name: string, ...shape: number[]): Tensor => device.upload(floatTensor(tensors, name, shape), shape);
    this.#context = hidden > 0 ? floatTensor(tensors, 'context', [HEAD_LAYERS[0], hidden]) : null;
    this.#firstBias = floatTensor(tensors, 'layer0.bias', [HEAD_LAYERS[0]]);
    const sizes = [2 * count, ...HEAD_LAYERS, 1];
    this.#layers = sizes.slice(1).map((size, layer) => ({
      weight: upload(`layer${layer}`, size, sizes[layer]!),
      bias: upload(`layer${layer}.bias`, size),
    }));
  }

  /** Whether it looks at a feature: what it does not read need not be computed. */
  reads(name: FeatureName): boolean {
    return this.#columns.includes(FEATURE_NAMES.indexOf(name));
  }

  /** y of each row: features [rows, FEATURE_COUNT] and h_u [hidden] -> [rows]. */
  async score(features: Float32Array, hiddenState: Float32Array): Promise<Float32Array> {
    const rows = features.length / FEATURE_COUNT;
    if (rows === 0) return new Float32Array(0);
    const x = standardise(features, this.#columns, this.#mean, this.#deviation);
    const [scores] = await this.#device.run((ops) => {
      const [first, second, last] = this.#layers;
      const bias = ops.input(this.#shopperBias(hiddenState), [HEAD_LAYERS[0]]);
      const one = ops.linear(ops.input(x, [rows, 2 * this.#columns.length]), first!.weight, bias, 'relu'); // [rows, 64]
      const two = ops.linear(one, second!.weight, second!.bias, 'relu'); // [rows, 32]
      return [ops.linear(two, last!.weight, last!.bias)]; // [rows, 1]
    });
    return scores!;
  }

  /** The first layer's bias with h_u's part in it, [first]: too little work to be worth a dispatch. */
  #shopperBias(hiddenState: Float32Array): Float32Array {
    const context = this.#context;
    if (!context) return this.#firstBias;
    return this.#firstBias.map((bias, row) => {
      let sum = bias;
      for (let k = 0; k < this.#hidden; k++) sum += context[row * this.#hidden + k]! * hiddenState[k]!;
      return sum;
    });
  }

  dispose(): void {
    for (const { weight, bias } of this.#layers) {
      this.#device.free(weight);
      this.#device.free(bias);
    }
  }
}
