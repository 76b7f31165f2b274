import { RecommenderError } from '../../errors.ts';

/**
 * Replaces a symmetric positive definite matrix [n, n], of which only the lower triangle is read, by its inverse.
 * Cholesky A = L Lᵀ, then M = L⁻¹, then A⁻¹ = Mᵀ M (Golub & Van Loan, Matrix Computations, section 4.2), all in the memory of A:
 * Mᵀ is kept in the upper triangle, so that every inner loop runs along two rows. n³ / 2 multiplications.
 * @throws RecommenderError `INVALID_DATA` when the matrix is not positive definite; its contents are then undefined.
 */
export function invertPositiveDefinite(a: Float64Array, n: number): void {
  factorise(a, n);
  // M[i, j] = -Σ L[i, k] M[k, j] / L[i, i] over j <= k < i; the diagonal becomes that of M.
  for (let i = 0; i < n; i++) {
    const inverse = 1 / a[i * n + i]!;
    a[i * n + i] = inverse;
    for (let j = 0; j < i; j++) a[j * n + i] = -inverse * dot(a, i * n + j, j * n + j, i - j);
  }
  // A⁻¹[i, j] = Σ M[k, i] M[k, j] over k >= i, written where L was; row i of Mᵀ is read for the last time by its own diagonal.
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) a[i * n + j] = dot(a, i * n + i, j * n + i, n - i);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j]!;
  }
}

/** L in the lower triangle of A, row by row. */
function factorise(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) a[i * n + j] = (a[i * n + j]! - dot(a, i * n, j * n, j)) / a[j * n + j]!;
    const pivot = a[i * n + i]! - dot(a, i * n, i * n, i);
    if (!(pivot > 0 && pivot < Infinity)) throw new RecommenderError('INVALID_DATA', `A matrix is not positive definite (row ${i}).`);
    a[i * n + i] = Math.sqrt(pivot);
  }
}

/** Four sums, because one would wait for each addition before the next. */
function dot(a: Float64Array, left: number, right: number, length: number): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    sum0 += a[left + k]! * a[right + k]!;
    sum1 += a[left + k + 1]! * a[right + k + 1]!;
    sum2 += a[left + k + 2]! * a[right + k + 2]!;
    sum3 += a[left + k + 3]! * a[right + k + 3]!;
  }
  for (; k < length; k++) sum0 += a[left + k]! * a[right + k]!;
  return sum0 + sum1 + (sum2 + sum3);
}
