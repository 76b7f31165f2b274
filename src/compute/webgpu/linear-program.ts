import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program.js';
import type { Activation } from '../device.ts';
import { activationSource, loadWidth, product } from './wgsl.ts';

const WORKGROUP = 64; // Invocations; two waves on most GPUs, so that a single row of scores still fills several units.

export interface LinearShape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

export interface LinearCall {
  readonly program: WebGPUProgram;
  readonly uniforms: { type: string; data: number[] }[];
}

/**
 * activation(x · weightᵀ + bias), one invocation per output value: [rows, depth] and [columns, depth] -> [rows, columns].
 * Inputs are x, weight and, where `hasBias`, bias. Made anew for each call, since the backend writes into it.
 */
export function createLinearCall(
  { rows, columns, depth }: LinearShape,
  { hasBias, activation, capacity }: { hasBias: boolean; activation: Activation; capacity: number },
): LinearCall {
  const width = loadWidth(depth);
  const program: WebGPUProgram = {
    variableNames: hasBias ? ['x', 'weight', 'bias'] : ['x', 'weight'],
    variableComponents: hasBias ? [width, width, 1] : [width, width],
    uniforms: 'count : i32, columns : i32, loads : i32,',
    outputShape: [1, capacity],
    workgroupSize: [WORKGROUP, 1, 1],
    dispatchLayout: { x: [0, 1] },
    dispatch: [Math.ceil((rows * columns) / WORKGROUP), 1, 1],
    shaderKey: `shelfwise_linear_${width}_${hasBias}_${activation}`,
    getUserCode: () => `
${activationSource(activation)}
fn main(index : i32) {
  if (index >= uniforms.count) { return; }
  let row = index / uniforms.columns;
  let column = index - row * uniforms.columns;
  let rowStart = row * uniforms.loads;
  let weightStart = column * uniforms.loads;
  var sum = ${hasBias ? 'bias[column]' : '0.0'};
  for (var k = 0; k < uniforms.loads; k++) {
    sum += ${product(width, 'x[rowStart + k]', 'weight[weightStart + k]')};
  }
  result[index] = activate(sum);
}`,
  };
  return { program, uniforms: [rows * columns, columns, depth / width].map((value) => ({ type: 'int32', data: [value] })) };
}
