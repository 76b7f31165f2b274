// Weights that come as int8 rows, for arithmetic in float32: widened into panels when they are packed.
import { rightBytes } from './panels';

export { rightBytes as quantisedBytes } from './panels';
export { linear as linearQuantised } from './serving';

/** Weights int8 [m, k] with scales [m] -> panels as of `packRight`. */
export function packQuantised(target: usize, rows: usize, scales: usize, m: i32, k: i32): void {
  memory.fill(target, 0, rightBytes(m, k));
  for (let column = 0; column < m; ++column) {
    const panel = target + <usize>(column >> 3) * (<usize>k << 5) + (<usize>(column & 7) << 2);
    const scale = load<f32>(scales + (<usize>column << 2));
    for (let p: usize = 0; p < <usize>k; ++p) store<f32>(panel + (p << 5), <f32>load<i8>(rows++) * scale);
  }
}
