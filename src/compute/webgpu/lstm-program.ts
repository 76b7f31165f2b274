import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program.js';
import type { LstmShape } from '../training-kernels.ts';
import { loadWidth, product, SIGMOID_AND_TANH } from './wgsl.ts';

/** Largest `hidden`: h, c and four gates per unit must fit WebGPU's guaranteed 16,384 bytes of workgroup memory. */
export const MAX_HIDDEN = Math.floor(16_384 / (6 * 4));

const MAX_LANES = 256; // The invocations per workgroup that every WebGPU device has.

export interface LstmCall {
  readonly program: WebGPUProgram;
  readonly uniforms: { type: string; data: number[] }[];
}

/**
 * A whole LSTM sequence in one dispatch: one workgroup per batch row keeps h and c in workgroup memory and loops over
 * the steps, so that nothing but the last state leaves the chip. Inputs are x [steps, batch, input], inputWeights
 * [4 · hidden, input], hiddenWeights [4 · hidden, hidden], bias [4 · hidden], state [2, batch, hidden] -> state.
 * Made anew for each call, since the backend writes into it.
 */
export function createLstmCall({ steps, batch, input, hidden }: LstmShape, capacity: number): LstmCall {
  const width = loadWidth(input, hidden);
  const lanes = Math.min(MAX_LANES, Math.ceil((4 * hidden) / 32) * 32);
  const hiddenLoad = width === 4 ? 'vec4<f32>(h[4 * k], h[4 * k + 1], h[4 * k + 2], h[4 * k + 3])' : 'h[k]';
  const program: WebGPUProgram = {
    variableNames: ['x', 'inputWeights', 'hiddenWeights', 'bias', 'state'],
    variableComponents: [width, width, width, 1, 1],
    uniforms: 'steps : i32, batch : i32,',
    outputShape: [1, capacity],
    workgroupSize: [lanes, 1, 1],
    dispatchLayout: { x: [0, 1] },
    dispatch: [batch, 1, 1],
    shaderKey: `shelfwise_lstm_${input}_${hidden}`,
    getUserCode: () => `
const HIDDEN = ${hidden};
const LANES = ${lanes};
const INPUT_LOADS = ${input / width};
const HIDDEN_LOADS = ${hidden / width};
var<workgroup> h : array<f32, HIDDEN>;
var<workgroup> c : array<f32, HIDDEN>;
var<workgroup> gates : array<f32, ${4 * hidden}>; // input, forget, cell, output
${SIGMOID_AND_TANH}
fn main(index : i32) {
  let row = index / LANES;
  let lane = i32(localIndex);
  let hStart = row * HIDDEN;
  let cStart = (uniforms.batch + row) * HIDDEN;
  for (var unit = lane; unit < HIDDEN; unit += LANES) {
    h[unit] = state[hStart + unit];
    c[unit] = state[cStart + unit];
  }
  workgroupBarrier();
  for (var step = 0; step < uniforms.steps; step++) {
    let xStart = (step * uniforms.batch + row) * INPUT_LOADS;
    for (var gate = lane; gate < 4 * HIDDEN; gate += LANES) {
      var sum = bias[gate];
      for (var k = 0; k < INPUT_LOADS; k++) {
        sum += ${product(width, 'x[xStart + k]', 'inputWeights[gate * INPUT_LOADS + k]')};
      }
      for (var k = 0; k < HIDDEN_LOADS; k++) {
        sum += ${product(width, hiddenLoad, 'hiddenWeights[gate * HIDDEN_LOADS + k]')};
      }
      gates[gate] = sum;
    }
    workgroupBarrier();
    for (var unit = lane; unit < HIDDEN; unit += LANES) {
      let kept = logistic(gates[HIDDEN + unit]) * c[unit];
      let added = logistic(gates[unit]) * hyperbolicTangent(gates[2 * HIDDEN + unit]);
      c[unit] = kept + added;
      h[unit] = logistic(gates[3 * HIDDEN + unit]) * hyperbolicTangent(kept + added);
    }
    workgroupBarrier();
  }
  if (row >= uniforms.batch) { return; }
  for (var unit = lane; unit < HIDDEN; unit += LANES) {
    result[hStart + unit] = h[unit];
    result[cStart + unit] = c[unit];
  }
}`,
  };
  return { program, uniforms: [steps, batch].map((value) => ({ type: 'int32', data: [value] })) };
}
