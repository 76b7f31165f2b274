import type { QuantisedVector } from '../types.ts';

/**
 * A vector that the shop sent with a candidate, as unit float32; undefined where another encoder revision made it or it
 * is not a vector of this encoder: then the text is encoded instead, and two kinds of vectors are never compared.
 */
export function readSentVector(vector: QuantisedVector, encoderRevision: string, dimensions: number): Float32Array | undefined {
  const { values } = vector;
  if (vector.encoderRevision !== encoderRevision || !(values instanceof Int8Array) || values.length !== dimensions) return undefined;
  // The scale cancels out: all vectors have unit length.
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? Float32Array.from(values, (value) => value / length) : undefined;
}
