import type { Device } from '../../compute/device.ts';
import { createStaticTier, dimsOf, STATIC } from '../../encoder/encoder-files.ts';
import { parseSafetensors, writeSafetensors } from '../../lib/safetensors.ts';
import { packFile } from '../../packs/load-pack.ts';
import type { Pack } from '../../packs/pack.ts';
import { floatTensor } from '../../packs/pack-tensors.ts';
import { invertPositiveDefinite } from '../../rank/simple/positive-definite.ts';
import { quantiseRows } from '../write-recommender.ts';

/** How strongly the map keeps to the identity, in mean variances of a direction: directions that no text shows stay as they were. */
const RIDGE = 1;

/**
 * The static tier turned into a tuned encoder's space: M of argmin Σ |M · s - v|² + λ |M - I|² over texts' static vectors s and tuned vectors v,
 * in closed form (ridge regression towards the identity), multiplied into projection and bias.
 * @param vectors of `texts`, tuned, [texts, hidden]
 * @returns the file of the static tier
 */
export async function refitStaticTier(pack: Pack, device: Device, texts: readonly string[], vectors: Float32Array): Promise<Uint8Array> {
  const { hidden, embedding } = dimsOf(pack);
  const tensors = parseSafetensors(packFile(pack, STATIC));
  const map = fitMap(await createStaticTier(pack, device).encode(texts), vectors, hidden);
  const projection = multiply(map, floatTensor(tensors, 'static.projection', [hidden, embedding]), hidden, embedding);
  const bias = multiply(map, floatTensor(tensors, 'static.bias', [hidden]), hidden, 1);
  return writeSafetensors([
    ['static.bias', { dtype: 'F32', shape: [hidden], values: bias }],
    ['static.weight', tensors.get('static.weight')!],
    ...quantiseRows('static.projection', [hidden, embedding], projection),
  ]);
}

/** M [size, size] = (VᵀS + λI) (SᵀS + λI)⁻¹ */
function fitMap(statics: Float32Array, vectors: Float32Array, size: number): Float64Array {
  const covariance = new Float64Array(size * size); // SᵀS
  const cross = new Float64Array(size * size); // VᵀS
  for (let start = 0; start < statics.length; start += size) {
    for (let i = 0; i < size; i++) {
      const [s, v] = [statics[start + i]!, vectors[start + i]!];
      for (let j = 0; j < size; j++) {
        covariance[i * size + j]! += s * statics[start + j]!;
        cross[i * size + j]! += v * statics[start + j]!;
      }
    }
  }
  const ridge = (RIDGE * statics.length) / size ** 2 || 1; // rows of unit length: the mean variance is rows / size
  for (let i = 0; i < size; i++) {
    covariance[i * size + i]! += ridge;
    cross[i * size + i]! += ridge;
  }
  invertPositiveDefinite(covariance, size);
  return Float64Array.from(multiply(cross, covariance, size, size));
}

/** left [size, size] · right [size, columns] */
function multiply(left: ArrayLike<number>, right: ArrayLike<number>, size: number, columns: number): Float32Array {
  const product = new Float64Array(size * columns);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const value = left[i * size + k]!;
      for (let j = 0; j < columns; j++) product[i * columns + j]! += value * right[k * columns + j]!;
    }
  }
  return Float32Array.from(product);
}
