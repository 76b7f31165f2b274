import { exp4, loadLanes, maxLanes, multiplyAdd, splat, storeLanes, sumLanes } from './lanes';
import { packRows } from './panels';

/** Keys whose scores are summed at once, in four registers: texts are padded to a multiple of them. */
const KEYS: i32 = 16;

@inline
function paddedBytes(length: i32): usize {
  return <usize>((length + KEYS - 1) & -KEYS) << 2;
}

/** Bytes of working memory for texts of up to `length` tokens. */
export function attentionBytes(length: i32, headSize: i32): usize {
  return paddedBytes(length) * <usize>(headSize + 1);
}

/** scores [columnBytes / 4] = query [headBytes / 4] · transposed keys. */
@inline
function scoreKeys(scores: usize, query: usize, keys: usize, columnBytes: usize, headBytes: usize): void {
  for (let at: usize = 0; at < columnBytes; at += KEYS << 2) {
    let s0 = splat(0);
    let s1 = splat(0);
    let s2 = splat(0);
    let s3 = splat(0);
    let key = keys + at;
    for (let d: usize = 0; d < headBytes; d += 4, key += columnBytes) {
      const q = v128.load_splat<f32>(query + d);
      s0 = multiplyAdd(q, v128.load(key), s0);
      s1 = multiplyAdd(q, v128.load(key, 16), s1);
      s2 = multiplyAdd(q, v128.load(key, 32), s2);
      s3 = multiplyAdd(q, v128.load(key, 48), s3);
    }
    v128.store(scores + at, s0);
    v128.store(scores + at, s1, 16);
    v128.store(scores + at, s2, 32);
    v128.store(scores + at, s3, 48);
  }
}

/** scores [count] = softmax(scores · factor); the padding up to `columnBytes` becomes zero. */
@inline
function softmax(scores: usize, count: i32, columnBytes: usize, factor: f32): void {
  const end = scores + columnBytes;
  for (let at = scores + (<usize>count << 2); at < end; at += 4) store<f32>(at, -Infinity);
  let highest = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) highest = f32x4.pmax(highest, v128.load(at));
  const shift = splat(maxLanes(highest));
  const factors = splat(factor);
  let total = splat(0);
  for (let at = scores; at < end; at += 16) {
    const value = exp4(f32x4.mul(f32x4.sub(v128.load(at), shift), factors));
    v128.store(at, value);
    total = f32x4.add(total, value);
  }
  const share = splat(<f32>1.0 / sumLanes(total));
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), share));
}

/** out [bytes / 4] = Σ probabilities[j] · row j of values, `stride` bytes apart. */
@inline
function mix(out: usize, probabilities: usize, values: usize, stride: usize, count: i32, bytes: usize): void {
  const end = probabilities + (<usize>count << 2);
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    let s0 = splat(0);
    let s1 = splat(0);
    let s2 = splat(0);
    let s3 = splat(0);
    let value = values + at;
    for (let p = probabilities; p < end; p += 4, value += stride) {
      const share = v128.load_splat<f32>(p);
      s0 = multiplyAdd(share, v128.load(value), s0);
      s1 = multiplyAdd(share, v128.load(value, 16), s1);
      s2 = multiplyAdd(share, v128.load(value, 32), s2);
      s3 = multiplyAdd(share, v128.load(value, 48), s3);
    }
    v128.store(out + at, s0);
    v128.store(out + at, s1, 16);
    v128.store(out + at, s2, 32);
    v128.store(out + at, s3, 48);
  }
  for (; at < bytes; at += 4) {
    let sum = splat(0);
    let value = values + at;
    for (let p = probabilities; p < end; p += 4, value += stride) sum = multiplyAdd(loadLanes(p, false), loadLanes(value, false), sum);
    storeLanes(out + at, sum, false);
  }
}

/** qkv [tokens, 3 · size], lengths int32 [texts] -> out [tokens, size]; `work` has `attentionBytes()` of the longest text. */
export function attention(out: usize, qkv: usize, lengths: usize, texts: i32, size: i32, heads: i32, work: usize): void {
  const rowBytes = <usize>size << 2;
  const stride = 3 * rowBytes;
  const headBytes = rowBytes / <usize>heads;
  const headSize = <i32>(headBytes >> 2);
  const factor = <f32>1.0 / sqrt<f32>(<f32>headSize);
  for (let text: usize = 0; text < <usize>texts; ++text) {
    const length = load<i32>(lengths + (text << 2));
    const columnBytes = paddedBytes(length);
    const transposed = work + columnBytes; // [headSize, padded length]; what stands in the padding is never read as a score
    for (let head: usize = 0; head < rowBytes; head += headBytes) {
      const keys = qkv + rowBytes + head;
      for (let j = 0; j < length; j += 4) {
        packRows(transposed + (<usize>j << 2), columnBytes, keys + <usize>j * stride, stride, length - j, headSize);
      }
      for (let i: usize = 0; i < <usize>length; ++i) {
        scoreKeys(work, qkv + i * stride + head, transposed, columnBytes, headBytes);
        softmax(work, length, columnBytes, factor);
        mix(out + i * rowBytes + head, work, keys + rowBytes, stride, length, headBytes);
      }
    }
    qkv += <usize>length * stride;
    out += <usize>length * rowBytes;
  }
}
