import type { TrainingKernels } from '../../compute/training-kernels.ts';
import type { BertDims } from '../../encoder/bert.ts';
import type { Random } from '../../lib/random.ts';
import type { SafeTensors } from '../../lib/safetensors.ts';
import { floatTensor } from '../../packs/pack-tensors.ts';
import type { Parameter } from '../parameters.ts';
import { attentionBackward, attentionForward } from './attention.ts';
import { geluForward } from './gelu.ts';
import { normBackward, normForward, type NormParameters, type NormTape } from './layer-norm.ts';
import { hold, TunedLinear, type EncoderTuning } from './tuned-linear.ts';

type LayerDims = Pick<BertDims, 'hidden' | 'heads' | 'intermediate'>;

/**
 * One layer of the encoder (Devlin et al. 2019, section 3; normalised after each residual, as in service) with its gradients, on training
 * kernels: the trained twin of the loop in `encoder/bert.ts`. Ragged batches: the tokens of all texts one after the other.
 */
export class TunedLayer {
  /** Trained ones, by their names in the pack. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** The layer's output, [tokens, hidden]; valid until the next forward pass. */
  readonly output: Float32Array;
  readonly #prefix: string;
  readonly #dims: LayerDims;
  readonly #linears: Readonly<Record<'attention.qkv' | 'attention.output' | 'feedforward.inner' | 'feedforward.outer', TunedLinear>>;
  readonly #norms: Readonly<Record<'attention.norm' | 'feedforward.norm', { readonly weight: Parameter; readonly bias: Parameter; readonly isTrained: boolean }>>;
  readonly #qkv: Float32Array; // [tokens, 3 · hidden]
  readonly #mixed: Float32Array; // [tokens, hidden]
  readonly #attended: Float32Array; // [tokens, hidden], after its norm
  readonly #inner: Float32Array; // [tokens, intermediate], after GELU
  readonly #slope: Float32Array; // [tokens, intermediate], of GELU
  readonly #wide: Float32Array; // [tokens, 3 · hidden], gradient of qkv
  readonly #innerGradient: Float32Array; // [tokens, intermediate]
  readonly #room: Float32Array; // [tokens, hidden]
  readonly #sumGradient: Float32Array; // [tokens, hidden]
  readonly #attentionTape: NormTape;
  readonly #outputTape: NormTape;

  /** `layer` is the number in the pack, `tokens` the most of a batch. */
  constructor(tensors: SafeTensors, layer: number, dims: LayerDims, tokens: number, tuning: EncoderTuning, kernels: TrainingKernels, random: Random) {
    const { hidden, intermediate } = dims;
    this.#dims = dims;
    this.#prefix = `layer.${layer}.`;
    const linear = (name: string, out: number, input: number): TunedLinear =>
      new TunedLinear({ weight: floatTensor(tensors, `${this.#prefix}${name}.weight`, [out, input]), bias: floatTensor(tensors, `${this.#prefix}${name}.bias`, [out]) }, tokens, tuning, kernels, random);
    const norm = (name: string) => {
      const isTrained = tuning.kind === 'last-layer';
      const part = (which: string): Parameter => hold(floatTensor(tensors, `${this.#prefix}${name}.${which}`, [hidden]), [hidden], isTrained, kernels);
      return { weight: part('weight'), bias: part('bias'), isTrained };
    };
    this.#linears = {
      'attention.qkv': linear('attention.qkv', 3 * hidden, hidden),
      'attention.output': linear('attention.output', hidden, hidden),
      'feedforward.inner': linear('feedforward.inner', intermediate, hidden),
      'feedforward.outer': linear('feedforward.outer', hidden, intermediate),
    };
    this.#norms = { 'attention.norm': norm('attention.norm'), 'feedforward.norm': norm('feedforward.norm') };
    this.parameters = new Map([
      ...Object.entries(this.#linears).flatMap(([name, { parameters }]) => [...parameters].map(([part, parameter]) => [`${this.#prefix}${name}.${part}`, parameter] as const)),
      ...Object.entries(this.#norms).flatMap(([name, { weight, bias, isTrained }]) => (isTrained ? [[`${this.#prefix}${name}.weight`, weight] as const, [`${this.#prefix}${name}.bias`, bias] as const] : [])),
    ]);
    const narrow = (): Float32Array => kernels.allocate(tokens * hidden);
    const tape = (): NormTape => ({ standard: narrow(), inverse: kernels.allocate(tokens) });
    this.#qkv = kernels.allocate(tokens * 3 * hidden);
    this.#wide = kernels.allocate(tokens * 3 * hidden);
    this.#inner = kernels.allocate(tokens * intermediate);
    this.#slope = kernels.allocate(tokens * intermediate);
    this.#innerGradient = kernels.allocate(tokens * intermediate);
    [this.#mixed, this.#attended, this.#room, this.#sumGradient, this.output] = [narrow(), narrow(), narrow(), narrow(), narrow()];
    [this.#attentionTape, this.#outputTape] = [tape(), tape()];
  }

  /** Writes `output` from x [tokens, hidden]; a text has `lengths[i]` tokens. */
  forward(x: Float32Array, lengths: readonly number[]): void {
    const tokens = countTokens(lengths);
    const { hidden, intermediate } = this.#dims;
    const linears = this.#linears;
    linears['attention.qkv'].forward(this.#qkv, x, tokens);
    attentionForward(this.#mixed, this.#qkv, lengths, this.#dims);
    linears['attention.output'].forward(this.#room, this.#mixed, tokens);
    normForward(this.#attended, this.#attentionTape, this.#room, x, this.#norm('attention.norm'), tokens);
    linears['feedforward.inner'].forward(this.#inner, this.#attended, tokens);
    geluForward(this.#inner, this.#slope, tokens * intermediate);
    linears['feedforward.outer'].forward(this.#room, this.#inner, tokens);
    normForward(this.output.subarray(0, tokens * hidden), this.#outputTape, this.#room, this.#attended, this.#norm('feedforward.norm'), tokens);
  }

  /**
   * Back-propagation of the last forward pass from d(loss)/d(output): adds to the parameters' gradients, and writes d(loss)/d(x)
   * unless it is null. `x` is what went in.
   */
  backward(gradientX: Float32Array | null, gradientOutput: Float32Array, x: Float32Array, lengths: readonly number[]): void {
    const tokens = countTokens(lengths);
    const { hidden, intermediate } = this.#dims;
    const linears = this.#linears;
    normBackward(this.#sumGradient, gradientOutput, this.#outputTape, this.#norm('feedforward.norm'), this.#normGradients('feedforward.norm'), tokens);
    linears['feedforward.outer'].backward(this.#innerGradient, this.#sumGradient, this.#inner, tokens);
    for (let at = 0; at < tokens * intermediate; at++) this.#innerGradient[at]! *= this.#slope[at]!;
    linears['feedforward.inner'].backward(this.#room, this.#innerGradient, this.#attended, tokens);
    for (let at = 0; at < tokens * hidden; at++) this.#room[at]! += this.#sumGradient[at]!; // past the feed-forward part
    normBackward(this.#sumGradient, this.#room, this.#attentionTape, this.#norm('attention.norm'), this.#normGradients('attention.norm'), tokens);
    linears['attention.output'].backward(this.#room, this.#sumGradient, this.#mixed, tokens);
    attentionBackward(this.#wide, this.#room, this.#qkv, lengths, this.#dims);
    linears['attention.qkv'].backward(gradientX, this.#wide, x, tokens);
    if (gradientX) for (let at = 0; at < tokens * hidden; at++) gradientX[at]! += this.#sumGradient[at]!; // past the attention
  }

  /** After a step of the parameters. */
  refresh(): void {
    for (const linear of Object.values(this.#linears)) linear.refresh();
  }

  /** Every matrix, bias and norm as it stands, by its name in the pack. */
  tensors(): Map<string, { shape: number[]; values: Float32Array }> {
    const tensors = new Map<string, { shape: number[]; values: Float32Array }>();
    for (const [name, linear] of Object.entries(this.#linears)) {
      const { weight, bias } = linear.weights;
      tensors.set(`${this.#prefix}${name}.weight`, { shape: [linear.out, linear.in], values: weight.slice() });
      tensors.set(`${this.#prefix}${name}.bias`, { shape: [linear.out], values: bias.slice() });
    }
    for (const [name, { weight, bias }] of Object.entries(this.#norms)) {
      tensors.set(`${this.#prefix}${name}.weight`, { shape: [...weight.shape], values: weight.values.slice() });
      tensors.set(`${this.#prefix}${name}.bias`, { shape: [...bias.shape], values: bias.values.slice() });
    }
    return tensors;
  }

  #norm(name: 'attention.norm' | 'feedforward.norm'): NormParameters {
    const { weight, bias } = this.#norms[name];
    return { weight: weight.values, bias: bias.values };
  }

  #normGradients(name: 'attention.norm' | 'feedforward.norm'): NormParameters | null {
    const { weight, bias, isTrained } = this.#norms[name];
    return isTrained ? { weight: weight.gradient, bias: bias.gradient } : null;
  }
}

export function countTokens(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}
