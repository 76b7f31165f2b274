import type { Kernel } from './kernel.ts';
import { ROW_LANES, rowSource } from './wgsl.ts';

/** Mean over each text's rows, then unit length, one workgroup per text: x [tokens, size] and spans [texts] of first and end row -> [texts, size]. */
export function meanPoolKernel(size: number): Kernel {
  return {
    name: `mean pool ${size}`,
    inputs: { x: 'f32', spans: 'vec2<i32>' },
    uniforms: ['texts'],
    lanes: ROW_LANES,
    source: `${rowSource(size)}
fn main(group : i32, lane : i32) {
  if (group >= uniforms.texts) { return; }
  let span = spans[group];
  let tokens = f32(max(1, span.y - span.x));
  var means : Values;
  var part = 0.0;
  for (var i = lane; i < SIZE; i += LANES) {
    var sum = 0.0;
    for (var row = span.x; row < span.y; row++) { sum += x[row * SIZE + i]; }
    means[i / LANES] = sum / tokens;
    part += means[i / LANES] * means[i / LANES];
  }
  let norm = max(sqrt(sumOverLanes(part, lane)), 1e-12); // as in PyTorch's normalize()
  for (var i = lane; i < SIZE; i += LANES) { result[group * SIZE + i] = means[i / LANES] / norm; }
}`,
  };
}
