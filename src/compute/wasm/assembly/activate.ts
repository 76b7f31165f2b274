import { erf4, splat, tanh4 } from './lanes';

// The codes of ACTIVATION_CODES in ../primitives.ts.
const RELU: i32 = 1;
const GELU: i32 = 2;
const TANH: i32 = 3;

@inline
export function activate(x: v128, activation: i32): v128 {
  if (activation == RELU) return f32x4.pmax(x, splat(0));
  if (activation == GELU) {
    const half = f32x4.mul(x, splat(0.5));
    return f32x4.add(half, f32x4.mul(half, erf4(f32x4.mul(x, splat(0.7071067811865476)))));
  }
  if (activation == TANH) return tanh4(x);
  return x;
}
