import type { TrainingKernels } from '../../compute/training-kernels.ts';
import type { BertDims } from '../../encoder/bert.ts';
import type { Random } from '../../lib/random.ts';
import type { SafeTensors } from '../../lib/safetensors.ts';
import type { ParameterSet } from '../parameters.ts';
import { poolBackward, poolForward } from './pooling.ts';
import { countTokens, TunedLayer } from './tuned-layer.ts';
import type { EncoderTuning } from './tuned-linear.ts';

export interface TunedShape {
  readonly dims: BertDims;
  /** How many of the encoder's layers are trained, from the last one down. */
  readonly layers: number;
  /** The most texts and tokens of a batch. */
  readonly texts: number;
  readonly tokens: number;
}

/** The encoder's last layers with their gradients, mean pooling and unit length; the layers below are frozen, and their output is the input. */
export class TunedNetwork {
  readonly parameters: ParameterSet;
  readonly shape: TunedShape;
  readonly #layers: readonly TunedLayer[];
  readonly #x: Float32Array; // [tokens, hidden]
  readonly #vectors: Float32Array; // [texts, hidden]
  readonly #norms: Float32Array; // [texts]
  readonly #gradients: readonly [Float32Array, Float32Array]; // [tokens, hidden] each

  constructor(tensors: SafeTensors, shape: TunedShape, tuning: EncoderTuning, kernels: TrainingKernels, random: Random) {
    const { dims, layers, texts, tokens } = shape;
    this.shape = shape;
    this.#layers = Array.from({ length: layers }, (_, at) => new TunedLayer(tensors, dims.layers - layers + at, dims, tokens, tuning, kernels, random));
    this.parameters = new Map(this.#layers.flatMap(({ parameters }) => [...parameters]));
    this.#x = kernels.allocate(tokens * dims.hidden);
    this.#vectors = kernels.allocate(texts * dims.hidden);
    this.#norms = kernels.allocate(texts);
    this.#gradients = [kernels.allocate(tokens * dims.hidden), kernels.allocate(tokens * dims.hidden)];
  }

  /** Unit vectors [texts, hidden] of texts whose tokens' hidden states below the trained layers are given, [length, hidden] each: a view, valid until the next call. */
  forward(states: readonly Float32Array[]): Float32Array {
    const { hidden } = this.shape.dims;
    const lengths = states.map((state) => state.length / hidden);
    let token = 0;
    for (const state of states) {
      this.#x.set(state, token * hidden);
      token += state.length / hidden;
    }
    let x = this.#x;
    for (const layer of this.#layers) {
      layer.forward(x, lengths);
      x = layer.output;
    }
    poolForward(this.#vectors, this.#norms, x, lengths, hidden);
    return this.#vectors.subarray(0, states.length * hidden);
  }

  /** Adds to the parameters' gradients from d(loss)/d(vectors) of the last forward pass. */
  backward(gradientVectors: Float32Array, states: readonly Float32Array[]): void {
    const { hidden } = this.shape.dims;
    const lengths = states.map((state) => state.length / hidden);
    let [gradient, other] = this.#gradients;
    poolBackward(gradient, gradientVectors, this.#vectors, this.#norms, lengths, hidden);
    for (let at = this.#layers.length - 1; at >= 0; at--) {
      this.#layers[at]!.backward(at > 0 ? other : null, gradient, at > 0 ? this.#layers[at - 1]!.output : this.#x, lengths);
      [gradient, other] = [other, gradient];
    }
  }

  /** After a step of the parameters. */
  refresh(): void {
    for (const layer of this.#layers) layer.refresh();
  }

  /** All tensors of the trained layers as they stand, by their names in the pack. */
  tensors(): Map<string, { shape: number[]; values: Float32Array }> {
    return new Map(this.#layers.flatMap((layer) => [...layer.tensors()]));
  }
}

/** Tokens of a batch, from its texts' hidden states. */
export function tokensOf(states: readonly Float32Array[], hidden: number): number {
  return countTokens(states.map((state) => state.length / hidden));
}
