import type { Kernel } from './kernel.ts';
import { loadWidth, product } from './wgsl.ts';

/** Lanes per workgroup: the tokens of most titles at once, and the values of a head of 32. */
const LANES = 32;

/**
 * Multi-head self-attention inside each text, all texts and heads in one dispatch: one workgroup per row and head. Keys are read in
 * blocks of one per lane, with a running maximum (online softmax: Milakov & Gimelshein 2018), so that texts may be of any length.
 * qkv [tokens, 3 · heads · headSize] and spans [tokens] of first and end row of the token's text -> [tokens, heads · headSize].
 */
export function attentionKernel(headSize: number): Kernel {
  const width = loadWidth(headSize);
  return {
    name: `attention, heads of ${headSize}`,
    inputs: { qkv: width === 4 ? 'vec4<f32>' : 'f32', spans: 'vec2<i32>' },
    uniforms: ['tokens', 'heads'],
    lanes: LANES,
    source: `
const LANES = ${LANES};
const HEAD = ${headSize};
const LOADS = ${headSize / width};
var<workgroup> scores : array<f32, LANES>;
fn main(group : i32, lane : i32) {
  let token = group / uniforms.heads;
  if (token >= uniforms.tokens) { return; }
  let head = group % uniforms.heads;
  let size = uniforms.heads * LOADS; // loads of q, of k, of v in a row
  let query = token * 3 * size + head * LOADS;
  let span = spans[token];
  var mixed : array<f32, ${Math.ceil(headSize / LANES)}>;
  var total = 0.0;
  var largest = -3.0e38;
  for (var block = span.x; block < span.y; block += LANES) {
    let keys = min(LANES, span.y - block);
    if (lane < keys) {
      let key = (block + lane) * 3 * size + size + head * LOADS;
      var score = 0.0;
      for (var k = 0; k < LOADS; k++) { score += ${product(width, 'qkv[query + k]', 'qkv[key + k]')}; }
      scores[lane] = score * ${1 / Math.sqrt(headSize)};
    }
    workgroupBarrier();
    let before = largest;
    for (var key = 0; key < keys; key++) { largest = max(largest, scores[key]); }
    let kept = exp(before - largest);
    total *= kept;
    for (var i = 0; i < ${Math.ceil(headSize / LANES)}; i++) { mixed[i] *= kept; }
    for (var key = 0; key < keys; key++) {
      let weight = exp(scores[key] - largest);
      let value = (block + key) * 3 * size + 2 * size + head * LOADS;
      total += weight;
      for (var d = lane; d < HEAD; d += LANES) { mixed[d / LANES] += weight * ${width === 4 ? 'qkv[value + d / 4][d % 4]' : 'qkv[value + d]'}; }
    }
    workgroupBarrier();
  }
  for (var d = lane; d < HEAD; d += LANES) { result[(token * uniforms.heads + head) * HEAD + d] = mixed[d / LANES] / total; }
}`,
  };
}
