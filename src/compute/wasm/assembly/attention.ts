import { exp4, loadLanes, multiplyAdd, splat, storeLanes, sumLanes } from './lanes';

@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = splat(0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) sum = multiplyAdd(v128.load(a + at), v128.load(b + at), sum);
  for (; at < bytes; at += 4) sum = multiplyAdd(loadLanes(a + at, false), loadLanes(b + at, false), sum);
  return sumLanes(sum);
}

/** scores [count] = softmax(scores); the room after them is padded to whole lanes. */
function softmax(scores: usize, count: i32, maximum: f32): void {
  const end = scores + (<usize>count << 2);
  // Padding that is far below the maximum adds nothing to the sum.
  for (let at = end; at & 15; at += 4) store<f32>(at, -Infinity);
  const shift = splat(maximum);
  let total = splat(0);
  for (let at = scores; at < end; at += 16) {
    const value = exp4(f32x4.sub(v128.load(at), shift));
    v128.store(at, value);
    total = f32x4.add(total, value);
  }
  const factor = splat(<f32>1.0 / sumLanes(total));
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), factor));
}

/** out [bytes] = Σ probabilities[j] · row j of values, `stride` bytes apart. */
function mix(out: usize, probabilities: usize, values: usize, stride: usize, count: i32, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    let sum = splat(0);
    let value = values + at;
    for (let j: usize = 0; j < <usize>count; ++j, value += stride) {
      sum = multiplyAdd(v128.load_splat<f32>(probabilities + (j << 2)), v128.load(value), sum);
    }
    v128.store(out + at, sum);
  }
  for (; at < bytes; at += 4) {
    let sum: f32 = 0;
    let value = values + at;
    for (let j: usize = 0; j < <usize>count; ++j, value += stride) sum += load<f32>(probabilities + (j << 2)) * load<f32>(value);
    store<f32>(out + at, sum);
  }
}

/** qkv [tokens, 3 · size], lengths int32 [texts] -> out [tokens, size]; `scores` has room for the longest text and 3 more, aligned to 16. */
export function attention(out: usize, qkv: usize, lengths: usize, texts: i32, size: i32, heads: i32, scores: usize): void {
  const rowBytes = <usize>size << 2;
  const stride = 3 * rowBytes;
  const headBytes = rowBytes / <usize>heads;
  const factor = <f32>1.0 / sqrt<f32>(<f32>(headBytes >> 2));
  for (let text: usize = 0; text < <usize>texts; ++text) {
    const length = load<i32>(lengths + (text << 2));
    for (let head: usize = 0; head < rowBytes; head += headBytes) {
      const keys = qkv + rowBytes + head;
      for (let i = 0; i < length; ++i) {
        const query = qkv + <usize>i * stride + head;
        let maximum: f32 = -Infinity;
        for (let j = 0; j < length; ++j) {
          const score = dot(query, keys + <usize>j * stride, headBytes) * factor;
          store<f32>(scores + (<usize>j << 2), score);
          maximum = max(maximum, score);
        }
        softmax(scores, length, maximum);
        mix(out + <usize>i * rowBytes + head, scores, keys + rowBytes, stride, length, headBytes);
      }
    }
    qkv += <usize>length * stride;
    out += <usize>length * rowBytes;
  }
}

/** Shorter vectors than this are left as they are, as in PyTorch's normalize(). */
const LEAST_NORM: f32 = 1e-12;

/** x [tokens, size], lengths int32 [texts] -> out [texts, size]: each text's mean, at unit length. */
export function meanPool(out: usize, x: usize, lengths: usize, texts: i32, size: i32): void {
  const rowBytes = <usize>size << 2;
  for (let text: usize = 0; text < <usize>texts; ++text, out += rowBytes) {
    const length = load<i32>(lengths + (text << 2));
    memory.fill(out, 0, rowBytes);
    for (let row = 0; row < length; ++row, x += rowBytes) {
      let at: usize = 0;
      for (; at + 16 <= rowBytes; at += 16) v128.store(out + at, f32x4.add(v128.load(out + at), v128.load(x + at)));
      for (; at < rowBytes; at += 4) store<f32>(out + at, load<f32>(out + at) + load<f32>(x + at));
    }
    const norm = sqrt<f32>(dot(out, out, rowBytes)) / <f32>max(length, 1);
    const factor = splat(<f32>1.0 / (max(norm, LEAST_NORM) * <f32>max(length, 1)));
    let at: usize = 0;
    for (; at + 16 <= rowBytes; at += 16) v128.store(out + at, f32x4.mul(v128.load(out + at), factor));
    for (; at < rowBytes; at += 4) storeLanes(out + at, f32x4.mul(loadLanes(out + at, false), factor), false);
  }
}
