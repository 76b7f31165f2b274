import { loadLanes, multiplyAdd, splat, storeLanes, sumLanes } from './lanes';

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
    let squares = splat(0);
    let at: usize = 0;
    for (; at + 16 <= rowBytes; at += 16) squares = multiplyAdd(v128.load(out + at), v128.load(out + at), squares);
    for (; at < rowBytes; at += 4) squares = multiplyAdd(loadLanes(out + at, false), loadLanes(out + at, false), squares);
    const norm = sqrt<f32>(sumLanes(squares)) / <f32>max(length, 1);
    const factor = splat(<f32>1.0 / (max(norm, LEAST_NORM) * <f32>max(length, 1)));
    at = 0;
    for (; at + 16 <= rowBytes; at += 16) v128.store(out + at, f32x4.mul(v128.load(out + at), factor));
    for (; at < rowBytes; at += 4) storeLanes(out + at, f32x4.mul(loadLanes(out + at, false), factor), false);
  }
}
