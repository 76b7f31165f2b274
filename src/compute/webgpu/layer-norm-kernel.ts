import type { Kernel } from './kernel.ts';
import { ROW_LANES, rowSource } from './wgsl.ts';

/** LayerNorm(x + residual) · gamma + beta, one workgroup per row: [rows, size] -> [rows, size]. The variance is taken around the mean, in a second pass over registers. */
export function layerNormKernel(size: number, epsilon: number): Kernel {
  return {
    name: `layer norm ${size}, epsilon ${epsilon}`,
    inputs: { x: 'f32', residual: 'f32', gamma: 'f32', beta: 'f32' },
    uniforms: ['rows'],
    lanes: ROW_LANES,
    source: `${rowSource(size)}
fn main(group : i32, lane : i32) {
  if (group >= uniforms.rows) { return; }
  let start = group * SIZE;
  var values : Values;
  var part = 0.0;
  for (var i = lane; i < SIZE; i += LANES) {
    let value = x[start + i] + residual[start + i];
    values[i / LANES] = value;
    part += value;
  }
  let mean = sumOverLanes(part, lane) / f32(SIZE);
  part = 0.0;
  for (var i = lane; i < SIZE; i += LANES) {
    let distance = values[i / LANES] - mean;
    part += distance * distance;
  }
  let scale = 1.0 / sqrt(sumOverLanes(part, lane) / f32(SIZE) + f32(${epsilon}));
  for (var i = lane; i < SIZE; i += LANES) {
    result[start + i] = (values[i / LANES] - mean) * scale * gamma[i] + beta[i];
  }
}`,
  };
}
