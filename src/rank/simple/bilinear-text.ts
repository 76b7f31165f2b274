import { RecommenderError } from '../../errors.ts';
import type { Baskets } from './baskets.ts';
import { invertPositiveDefinite } from './positive-definite.ts';
import type { SessionItem, SimpleRanker } from './simple-ranker.ts';

export interface BilinearTextOptions {
  /** Session items that u is the mean of, newest ones (default 10). */
  readonly last?: number;
  /** Pairs of session and next item that are learnt from (default 50,000), evenly spread over the log. */
  readonly pairs?: number;
  /** Ridge of the sessions' covariance, relative to its mean diagonal (default 0.1). */
  readonly sessionRidge?: number;
  /** Ridge of the catalogue's covariance, relative to its mean diagonal (default 0.1). */
  readonly itemRidge?: number;
}

/** A fitted uᵀ W v over text vectors. */
export interface BilinearText {
  /** W, [text, text] */
  readonly weights: Float32Array;
  /** The catalogue's text vectors less their mean, [items, text]. */
  readonly vectors: Float32Array;
  readonly last: number;
}

/**
 * Learns W of uᵀ W v from who took what next: W = (UᵀU + γI)⁻¹ UᵀYV (VᵀV + λI)⁻¹, the closed form of Romera-Paredes & Torr 2015
 * ("An embarrassingly simple approach to zero-shot learning", section 3.1). V [items, text] are the catalogue's vectors, centred;
 * U [pairs, text] the means of the session's last items; Y is 1 where the pair's next item is the item.
 * Only texts are read, so that an item which nobody has seen yet is scored like any other.
 * @param vectors [items, dimensions], rows of zeros for items without text
 * @throws RecommenderError `INVALID_OPTIONS` when `vectors` are not whole rows or there is no pair.
 */
export function fitBilinearText(
  baskets: Baskets,
  vectors: Float32Array,
  dimensions: number,
  { last = 10, pairs = 50_000, sessionRidge = 0.1, itemRidge = 0.1 }: BilinearTextOptions = {},
): BilinearText {
  if (vectors.length % dimensions !== 0) throw new RecommenderError('INVALID_OPTIONS', `Text vectors are not whole rows of ${dimensions}.`);
  const centred = centre(vectors, dimensions);
  const available = countPairs(baskets);
  if (available === 0) throw new RecommenderError('INVALID_OPTIONS', 'There is no session with a second item to learn from.');

  const size = dimensions * dimensions;
  const sessionCovariance = new Float64Array(size); // UᵀU
  const itemCovariance = new Float64Array(size); // VᵀV
  const cross = new Float64Array(size); // UᵀYV
  const share = Math.min(1, pairs / available);
  let met = 0;
  let learnt = 0;
  for (let basket = 0; basket + 1 < baskets.offsets.length; basket++) {
    const start = baskets.offsets[basket]!;
    for (let next = start + 1; next < baskets.offsets[basket + 1]!; next++) {
      if (learnt >= ++met * share) continue;
      learnt++;
      const items = baskets.items.subarray(Math.max(start, next - last), next);
      const u = meanOf(Array.from(items, (item) => ({ item, weight: 1 })), centred, dimensions);
      addOuter(sessionCovariance, u, u);
      addOuter(cross, u, rowOf(centred, baskets.items[next]!, dimensions));
    }
  }
  for (let item = 0; item * dimensions < centred.length; item++) {
    const v = rowOf(centred, item, dimensions);
    addOuter(itemCovariance, v, v);
  }
  invertRidge(sessionCovariance, dimensions, sessionRidge);
  invertRidge(itemCovariance, dimensions, itemRidge);
  const weights = multiply(multiply(sessionCovariance, cross, dimensions), itemCovariance, dimensions);
  return { weights: Float32Array.from(weights), vectors: centred, last };
}

/** Scores uᵀ W v of every item, u being the weighted mean of the session's last items; a negative score is no evidence. */
export function createBilinearText({ weights, vectors, last }: BilinearText): SimpleRanker {
  const dimensions = Math.sqrt(weights.length);
  const itemCount = vectors.length / dimensions;
  return {
    name: 'bilinear text',
    score({ session }, out) {
      out.fill(0);
      const known = session.filter(({ item, weight }) => weight > 0 && item >= 0 && item < itemCount).slice(-last);
      if (known.length === 0) return;
      const projected = projectText(weights, meanOf(known, vectors, dimensions)); // uᵀ W
      for (let item = 0; item < itemCount; item++) {
        let score = 0;
        for (let j = 0; j < dimensions; j++) score += projected[j]! * vectors[item * dimensions + j]!;
        out[item] = Math.max(0, score);
      }
    },
  };
}

/** uᵀ W of u [text] and W [text, text]: its product with a centred text is the text's score, [text]. */
export function projectText(weights: Float32Array, u: ArrayLike<number>): Float32Array {
  const dimensions = u.length;
  const projected = new Float32Array(dimensions);
  for (let k = 0; k < dimensions; k++) {
    const value = u[k]!;
    for (let j = 0; j < dimensions; j++) projected[j]! += value * weights[k * dimensions + j]!;
  }
  return projected;
}

/** Rows less their mean; rows of zeros (no text) stay zero and are not part of it. */
function centre(vectors: Float32Array, dimensions: number): Float32Array {
  const rows = vectors.length / dimensions;
  const mean = new Float64Array(dimensions);
  const hasText = Array.from({ length: rows }, (_, row) => rowOf(vectors, row, dimensions).some((value) => value !== 0));
  const texts = Math.max(1, hasText.filter(Boolean).length);
  vectors.forEach((value, at) => (mean[at % dimensions]! += value / texts));
  return vectors.map((value, at) => (hasText[Math.floor(at / dimensions)]! ? value - mean[at % dimensions]! : 0));
}

/** Places that have an item before them in their basket. */
function countPairs({ offsets }: Baskets): number {
  return offsets.reduce((sum, end, basket) => (basket === 0 ? 0 : sum + Math.max(0, end - offsets[basket - 1]! - 1)), 0);
}

const rowOf = (vectors: Float32Array, item: number, dimensions: number): Float32Array => vectors.subarray(item * dimensions, (item + 1) * dimensions);

/** Σ weight · vector / Σ weight, [dimensions]. */
function meanOf(items: readonly SessionItem[], vectors: Float32Array, dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  const total = items.reduce((sum, { weight }) => sum + weight, 0);
  for (const { item, weight } of items) {
    for (let k = 0; k < dimensions; k++) mean[k]! += (weight / total) * vectors[item * dimensions + k]!;
  }
  return mean;
}

/** matrix += left · rightᵀ */
function addOuter(matrix: Float64Array, left: ArrayLike<number>, right: ArrayLike<number>): void {
  const columns = right.length;
  for (let i = 0; i < left.length; i++) {
    const value = left[i]!;
    for (let j = 0; j < columns; j++) matrix[i * columns + j]! += value * right[j]!;
  }
}

/** Adds `ridge` of the mean diagonal to the diagonal and inverts; without any variance (no texts) the ridge is absolute. */
function invertRidge(matrix: Float64Array, n: number, ridge: number): void {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += matrix[i * n + i]!;
  for (let i = 0; i < n; i++) matrix[i * n + i]! += ridge * (trace / n || 1);
  invertPositiveDefinite(matrix, n);
}

/** left · right, all [n, n]. */
function multiply(left: Float64Array, right: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const value = left[i * n + k]!;
      for (let j = 0; j < n; j++) product[i * n + j]! += value * right[k * n + j]!;
    }
  }
  return product;
}
