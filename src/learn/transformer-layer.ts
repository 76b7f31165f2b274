import type { TrainingKernels } from '../compute/training-kernels.ts';
import type { Random } from '../lib/random.ts';
import { CausalAttention, SequenceStarts } from './causal-attention.ts';
import { denseBackward, denseForward, type DenseArrays } from './dense.ts';
import { LayerNorm } from './layer-norm.ts';
import type { Parameter, ParameterPlan, ParameterSet } from './parameters.ts';
import type { SequenceLayer, SequenceShape } from './sequence-layer.ts';

export interface TransformerOptions {
  readonly kind: 'transformer';
  readonly layers: number;
  /** Must divide `hidden`. */
  readonly heads: number;
  /** On the input and on what each half of a block adds. */
  readonly dropout: number;
}

/** Units of a block's inner layer, for one of `hidden`. */
const INNER = 2;

export function transformerPlan({ input, hidden, steps }: SequenceShape, { layers, heads }: TransformerOptions): ParameterPlan {
  const spread = Math.sqrt(3 / hidden); // variance 1 / hidden
  const norm = (name: string): ParameterPlan => ({ [`${name}.gain`]: { shape: [hidden], spread: 0 }, [`${name}.bias`]: { shape: [hidden], spread: 0 } });
  const block = (name: string): ParameterPlan => ({
    ...norm(`${name}.before`),
    [`${name}.attention`]: { shape: [3 * hidden, hidden], spread },
    [`${name}.attentionBias`]: { shape: [3 * hidden], spread: 0 },
    [`${name}.distances`]: { shape: [heads, steps], spread: 0 },
    [`${name}.mix`]: { shape: [hidden, hidden], spread: spread / Math.sqrt(2 * layers) },
    [`${name}.mixBias`]: { shape: [hidden], spread: 0 },
    ...norm(`${name}.between`),
    [`${name}.widen`]: { shape: [INNER * hidden, hidden], spread },
    [`${name}.widenBias`]: { shape: [INNER * hidden], spread: 0 },
    [`${name}.narrow`]: { shape: [hidden, INNER * hidden], spread: spread / Math.sqrt(2 * layers) },
    [`${name}.narrowBias`]: { shape: [hidden], spread: 0 },
  });
  return {
    'transformer.input': { shape: [hidden, input], spread: Math.sqrt(3 / input) },
    'transformer.inputBias': { shape: [hidden], spread: 1 }, // alone at the empty step that opens a sequence: a layer norm of nearly nothing would be steep
    ...Object.assign({}, ...Array.from({ length: layers }, (_, layer) => block(`transformer.${layer}`))) as ParameterPlan,
    ...norm('transformer.after'),
  };
}

/**
 * Causal self-attention as in SASRec (Kang & McAuley 2018): blocks of attention and of two layers with ReLU, each behind its layer norm
 * (pre-LN: Xiong et al. 2020). Unlike there, positions are distances, and a step sees the last `steps` behaviours wherever a chunk begins.
 */
export function createTransformerLayer(shape: SequenceShape, parameters: ParameterSet, kernels: TrainingKernels, options: TransformerOptions): SequenceLayer {
  const { lanes, steps, input, hidden } = shape;
  const rows = lanes * steps;
  const parameter = (name: string): Parameter => parameters.get(`transformer.${name}`)!;
  const dense = (name: string) => ({ values: arrays(name, 'values'), gradients: arrays(name, 'gradient') });
  const arrays = (name: string, which: 'values' | 'gradient'): DenseArrays => ({ weights: parameter(name)[which], bias: parameter(`${name}Bias`)[which] });
  const norm = (name: string): LayerNorm => {
    parameter(`${name}.gain`).values.fill(1);
    return new LayerNorm(rows, parameter(`${name}.gain`), parameter(`${name}.bias`), kernels);
  };
  const starts = new SequenceStarts(shape);
  const first = dense('input');
  const firstFactors = new Float32Array(rows * hidden);
  const stream = kernels.allocate(rows * hidden); // [rows, hidden]: what blocks add to
  const streamGradient = kernels.allocate(rows * hidden);
  const blocks = Array.from({ length: options.layers }, (_, layer) => createBlock(layer));
  const after = norm('after');

  function createBlock(layer: number) {
    const before = norm(`${layer}.before`);
    const attention = new CausalAttention({ lanes, steps, hidden, heads: options.heads }, kernels);
    const distances = parameter(`${layer}.distances`);
    const projections = [0, 1, 2].map((part) => {
      const own = ({ weights, bias }: DenseArrays): DenseArrays => ({
        weights: weights.subarray(part * hidden * hidden, (part + 1) * hidden * hidden),
        bias: bias.subarray(part * hidden, (part + 1) * hidden),
      });
      const { values, gradients } = dense(`${layer}.attention`);
      return { values: own(values), gradients: own(gradients) };
    });
    const [mix, widen, narrow] = [dense(`${layer}.mix`), dense(`${layer}.widen`), dense(`${layer}.narrow`)];
    const between = norm(`${layer}.between`);
    const inner = kernels.allocate(rows * INNER * hidden);
    const innerGradient = kernels.allocate(rows * INNER * hidden);
    const added = kernels.allocate(rows * hidden);
    const mixFactors = new Float32Array(rows * hidden);
    const narrowFactors = new Float32Array(rows * hidden);
    const square = { rows, input: hidden, output: hidden };
    const wide = { rows, input: hidden, output: INNER * hidden };
    const slim = { rows, input: INNER * hidden, output: hidden };
    return {
      forward(random: Random | null): void {
        attention.remember();
        before.forward(stream);
        [attention.query, attention.key, attention.value].forEach((out, part) => denseForward(kernels, out, before.out, projections[part]!.values, square));
        attention.forward(distances.values, starts);
        denseForward(kernels, added, attention.out, mix.values, square);
        drop(mixFactors, added, random, options.dropout);
        addTo(stream, added);
        between.forward(stream);
        denseForward(kernels, inner, between.out, widen.values, wide);
        for (let at = 0; at < inner.length; at++) if (inner[at]! < 0) inner[at] = 0;
        denseForward(kernels, added, inner, narrow.values, slim);
        drop(narrowFactors, added, random, options.dropout);
        addTo(stream, added);
      },
      backward(): void {
        multiply(added, streamGradient, narrowFactors);
        denseBackward(kernels, innerGradient, added, inner, narrow.values, narrow.gradients, slim);
        for (let at = 0; at < inner.length; at++) if (inner[at] === 0) innerGradient[at] = 0;
        denseBackward(kernels, added, innerGradient, between.out, widen.values, widen.gradients, wide);
        between.backward(streamGradient, added);
        multiply(added, streamGradient, mixFactors);
        const outGradient = innerGradient.subarray(0, rows * hidden); // free by now
        denseBackward(kernels, outGradient, added, attention.out, mix.values, mix.gradients, square);
        attention.backward(outGradient, distances.gradient, starts);
        [attention.queryGradient, attention.keyGradient, attention.valueGradient].forEach((gradient, part) =>
          denseBackward(kernels, added, gradient, before.out, projections[part]!.values, projections[part]!.gradients, square, { accumulate: part > 0 }),
        );
        before.backward(streamGradient, added);
      },
    };
  }

  return {
    resetState: () => starts.reset(),
    forward(x, keep, random) {
      starts.next(keep);
      denseForward(kernels, stream, x, first.values, { rows, input, output: hidden });
      drop(firstFactors, stream, random, options.dropout);
      for (const block of blocks) block.forward(random);
      return after.forward(stream);
    },
    backward(xGradient, hiddenGradient, x) {
      streamGradient.fill(0);
      after.backward(streamGradient, hiddenGradient);
      for (const block of blocks.toReversed()) block.backward();
      multiply(streamGradient, streamGradient, firstFactors);
      denseBackward(kernels, xGradient, streamGradient, x, first.values, first.gradients, { rows, input, output: hidden });
    },
  };
}

/** Draws factors of 0 and 1 / (1 - rate), and multiplies; all factors are 1 without `random`. */
function drop(factors: Float32Array, values: Float32Array, random: Random | null, rate: number): void {
  if (!random || rate === 0) {
    factors.fill(1);
    return;
  }
  const kept = 1 / (1 - rate);
  for (let at = 0; at < values.length; at++) values[at]! *= factors[at] = random.next() < rate ? 0 : kept;
}

function addTo(sums: Float32Array, values: Float32Array): void {
  for (let at = 0; at < sums.length; at++) sums[at]! += values[at]!;
}

function multiply(out: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let at = 0; at < out.length; at++) out[at] = a[at]! * b[at]!;
}
