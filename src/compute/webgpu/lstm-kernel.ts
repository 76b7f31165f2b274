import type { Kernel } from './kernel.ts';
import { loadWidth, product, SIGMOID_AND_TANH } from './wgsl.ts';

/** Largest `hidden`: h, c and four gates per unit must fit WebGPU's guaranteed 16,384 bytes of workgroup memory. */
export const MAX_HIDDEN = Math.floor(16_384 / (6 * 4));

const MAX_LANES = 256; // The invocations per workgroup that every WebGPU device has.

/**
 * A whole LSTM sequence in one dispatch: one workgroup per batch row keeps h and c in workgroup memory and loops over
 * the steps, so that nothing but the last state leaves the chip. Inputs are x [steps, batch, input], inputWeights
 * [4 · hidden, input], hiddenWeights [4 · hidden, hidden], bias [4 · hidden], state [2, batch, hidden] -> state.
 */
export function lstmKernel(input: number, hidden: number): Kernel {
  const width = loadWidth(input, hidden);
  const lanes = Math.min(MAX_LANES, Math.ceil((4 * hidden) / 32) * 32);
  const hiddenLoad = width === 4 ? 'vec4<f32>(h[4 * k], h[4 * k + 1], h[4 * k + 2], h[4 * k + 3])' : 'h[k]';
  const load = width === 4 ? 'vec4<f32>' : 'f32';
  return {
    name: `lstm ${input} to ${hidden}`,
    inputs: { x: load, inputWeights: load, hiddenWeights: load, bias: 'f32', state: 'f32' },
    uniforms: ['steps', 'batch'],
    lanes,
    source: `
const HIDDEN = ${hidden};
const LANES = ${lanes};
const INPUT_LOADS = ${input / width};
const HIDDEN_LOADS = ${hidden / width};
var<workgroup> h : array<f32, HIDDEN>;
var<workgroup> c : array<f32, HIDDEN>;
var<workgroup> gates : array<f32, ${4 * hidden}>; // input, forget, cell, output
${SIGMOID_AND_TANH}
fn main(row : i32, lane : i32) {
  if (row >= uniforms.batch) { return; }
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
  for (var unit = lane; unit < HIDDEN; unit += LANES) {
    result[hStart + unit] = h[unit];
    result[cStart + unit] = c[unit];
  }
}`,
  };
}
