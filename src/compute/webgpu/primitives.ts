import { RecommenderError } from '../../errors.ts';
import type { LstmWeights, Primitives, Tensor } from '../device.ts';
import { attentionSizes, checkLengths, dimensions } from '../dimensions.ts';
import { attentionKernel } from './attention-kernel.ts';
import { GpuTensor } from './gpu-tensor.ts';
import type { Kernel } from './kernel.ts';
import { layerNormKernel } from './layer-norm-kernel.ts';
import { linearKernels, linearWorkgroups } from './linear-kernel.ts';
import { lstmKernel, MAX_HIDDEN } from './lstm-kernel.ts';
import { meanPoolKernel } from './mean-pool-kernel.ts';
import type { Recording } from './recording.ts';
import { spansOfTexts, spansOfTokens } from './spans.ts';

/** The primitives of one run: each checks its operands and adds one call to the recording. */
export function createPrimitives(recording: Recording, { half, expect }: { half: boolean; expect: (kernel: Kernel) => void }): Primitives {
  const tokenSpans = new Map<readonly number[], GpuTensor>(); // every layer attends within the same texts
  function tokenSpansOf(lengths: readonly number[], tokens: number): GpuTensor {
    const spans = tokenSpans.get(lengths) ?? recording.input(spansOfTokens(lengths), [tokens, 2]);
    tokenSpans.set(lengths, spans);
    return spans;
  }

  return {
    input: (values, shape) => recording.input(values, shape),

    linear(x, weight, bias, activation = 'none') {
      const [rows, depth] = dimensions(x, 2, 'x');
      const [columns] = dimensions(weight, 2, 'weight', [undefined, depth]);
      if (bias) dimensions(bias, 1, 'bias', [columns]);
      const matrix = GpuTensor.of(weight);
      const { kernel, twin } = linearKernels({ rows, depth, hasBias: bias !== null, activation, packed: matrix.scales !== undefined, half: half && matrix.scales !== undefined });
      expect(twin);
      return recording.call([rows, columns], {
        kernel,
        uniforms: [rows, columns, depth],
        inputs: [GpuTensor.floatsOf(x), matrix, ...(matrix.scales ? [matrix.scales] : []), ...(bias ? [GpuTensor.floatsOf(bias)] : [])],
        workgroups: linearWorkgroups(rows, columns),
      });
    },

    addLayerNorm(x, residual, gamma, beta, epsilon) {
      const [rows, size] = dimensions(x, 2, 'x');
      dimensions(residual, 2, 'residual', [rows, size]);
      dimensions(gamma, 1, 'gamma', [size]);
      dimensions(beta, 1, 'beta', [size]);
      const inputs = [x, residual, gamma, beta].map((tensor) => GpuTensor.floatsOf(tensor));
      return recording.call([rows, size], { kernel: layerNormKernel(size, epsilon), uniforms: [rows], inputs, workgroups: rows });
    },

    attention(qkv, lengths, heads) {
      const [tokens, width] = dimensions(qkv, 2, 'qkv');
      checkLengths(lengths, tokens);
      const { size, headSize } = attentionSizes(width, heads);
      return recording.call([tokens, size], {
        kernel: attentionKernel(headSize),
        uniforms: [tokens, heads],
        inputs: [GpuTensor.floatsOf(qkv), tokenSpansOf(lengths, tokens)],
        workgroups: tokens * heads,
      });
    },

    meanPool(x, lengths) {
      const [tokens, size] = dimensions(x, 2, 'x');
      checkLengths(lengths, tokens);
      const inputs = [GpuTensor.floatsOf(x), recording.input(spansOfTexts(lengths), [lengths.length, 2])];
      return recording.call([lengths.length, size], { kernel: meanPoolKernel(size), uniforms: [lengths.length], inputs, workgroups: lengths.length });
    },

    lstm(x: Tensor, { inputWeights, hiddenWeights, bias }: LstmWeights, state: Tensor) {
      const [steps, batch, input] = dimensions(x, 3, 'x');
      const [, , hidden] = dimensions(state, 3, 'state', [2, batch, undefined]);
      dimensions(inputWeights, 2, 'inputWeights', [4 * hidden, input]);
      dimensions(hiddenWeights, 2, 'hiddenWeights', [4 * hidden, hidden]);
      dimensions(bias, 1, 'bias', [4 * hidden]);
      if (hidden > MAX_HIDDEN) throw new RecommenderError('DEVICE_FAILED', `webgpu runs LSTMs of at most ${MAX_HIDDEN} units.`);
      const inputs = [x, inputWeights, hiddenWeights, bias, state].map((tensor) => GpuTensor.floatsOf(tensor));
      return recording.call([2, batch, hidden], { kernel: lstmKernel(input, hidden), uniforms: [steps, batch], inputs, workgroups: batch });
    },
  };
}
