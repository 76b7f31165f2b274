// Four float32 lanes at a time; every function is inlined, so that none of them costs a call.

/** Four values, or, where `full` is false, one value in the first lane: rows whose length is no multiple of four end so. */
@inline
export function loadLanes(address: usize, full: bool): v128 {
  return full ? v128.load(address) : v128.load_zero<f32>(address);
}

@inline
export function storeLanes(address: usize, values: v128, full: bool): void {
  if (full) v128.store(address, values);
  else v128.store_lane<f32>(address, values, 0);
}

/** The first `count` of four values, all of them where it is more. */
@inline
export function storeFirst(address: usize, values: v128, count: i32): void {
  if (count > 3) {
    v128.store(address, values);
    return;
  }
  v128.store_lane<f32>(address, values, 0);
  if (count > 1) v128.store_lane<f32>(address + 4, values, 1);
  if (count > 2) v128.store_lane<f32>(address + 8, values, 2);
}

@inline
export function splat(value: f32): v128 {
  return f32x4.splat(value);
}

/** a · b + c: fused, where the module is compiled for relaxed SIMD, else rounded twice. */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

@inline
export function sumLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

@inline
export function maxLanes(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  const first = f32x4.extract_lane(pairs, 0);
  const second = f32x4.extract_lane(pairs, 1);
  return first > second ? first : second;
}

@inline
export function minLanes(x: v128): f32 {
  return -maxLanes(f32x4.neg(x));
}

/** e^x to 1e-7 relative (Cephes expf); x is clamped to [-87.3, 88], where float32 still has normal results. */
@inline
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-87.3)), splat(88.0));
  // Adding 1.5 · 2^23 rounds to an integer whose bits are the lowest of the sum; 127 more makes them a float's exponent.
  const shifted = multiplyAdd(clamped, splat(1.44269504), splat(12583039.0));
  const power = f32x4.sub(shifted, splat(12583039.0));
  let r = f32x4.sub(clamped, f32x4.mul(power, splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(power, splat(2.12194440e-4)));
  let p = multiplyAdd(splat(1.9875691500e-4), r, splat(1.3981999507e-3));
  p = multiplyAdd(p, r, splat(8.3334519073e-3));
  p = multiplyAdd(p, r, splat(4.1665795894e-2));
  p = multiplyAdd(p, r, splat(1.6666665459e-1));
  p = multiplyAdd(p, r, splat(5.0000001201e-1));
  const mantissa = f32x4.add(multiplyAdd(p, f32x4.mul(r, r), r), splat(1.0));
  return f32x4.mul(mantissa, i32x4.shl(shifted, 23));
}

/** 1 / (1 + e^-x), to 1e-7 of 1. */
@inline
export function sigmoid4(x: v128): v128 {
  return multiplyAdd(tanh4(f32x4.mul(x, splat(0.5))), splat(0.5), splat(0.5));
}

/** tanh to 2e-7 relative: the minimax rational of Eigen's generic_fast_tanh_float on [-7.9, 7.9], beyond which float32 has only ±1. */
@inline
export function tanh4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-7.90531110763549805)), splat(7.90531110763549805));
  const z = f32x4.mul(clamped, clamped);
  let p = multiplyAdd(splat(-2.76076847742355e-16), z, splat(2.00018790482477e-13));
  p = multiplyAdd(p, z, splat(-8.60467152213735e-11));
  p = multiplyAdd(p, z, splat(5.12229709037114e-8));
  p = multiplyAdd(p, z, splat(1.48572235717979e-5));
  p = multiplyAdd(p, z, splat(6.37261928875436e-4));
  p = multiplyAdd(p, z, splat(4.89352455891786e-3));
  let q = multiplyAdd(splat(1.19825839466702e-6), z, splat(1.18534705686654e-4));
  q = multiplyAdd(q, z, splat(2.26843463243900e-3));
  q = multiplyAdd(q, z, splat(4.89352518554385e-3));
  return f32x4.div(f32x4.mul(clamped, p), q);
}

/** erf to 1e-7: the minimax rational of Eigen's generic_fast_erf_float on [-4, 4], beyond which float32 has only ±1. */
@inline
export function erf4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, splat(-4.0)), splat(4.0));
  const z = f32x4.mul(clamped, clamped);
  let p = multiplyAdd(splat(-2.72614225801306e-10), z, splat(2.77068142495902e-8));
  p = multiplyAdd(p, z, splat(-2.10102402082508e-6));
  p = multiplyAdd(p, z, splat(-5.69250639462346e-5));
  p = multiplyAdd(p, z, splat(-7.34990630326855e-4));
  p = multiplyAdd(p, z, splat(-2.95459980854025e-3));
  p = multiplyAdd(p, z, splat(-1.60960333262415e-2));
  let q = multiplyAdd(splat(-1.45660718464996e-5), z, splat(-2.13374055278905e-4));
  q = multiplyAdd(q, z, splat(-1.68282697438203e-3));
  q = multiplyAdd(q, z, splat(-7.37332916720468e-3));
  q = multiplyAdd(q, z, splat(-1.42647390514189e-2));
  return f32x4.div(f32x4.mul(clamped, p), q);
}
