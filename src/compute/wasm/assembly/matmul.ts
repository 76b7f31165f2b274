// Blocked matrix product after Goto & van de Geijn 2008: a block of b (512 kB) stays in the second-level cache, a block of a
// (64 kB) passes over it, and the tile's two panels stay in the first-level cache.
import { EDGE_BYTES, multiplyPanels, packLeft, packRight } from './panels';

const BLOCK_K: i32 = 256;
const BLOCK_M: i32 = 64;
const BLOCK_N: i32 = 512;
const LEFT_BYTES: usize = BLOCK_M * BLOCK_K * 4;
const RIGHT_BYTES: usize = BLOCK_K * BLOCK_N * 4;

/** Working memory of `matmul`: threads share all memory, so that each has blocks of its own. */
const BLOCKS_BYTES: usize = LEFT_BYTES + RIGHT_BYTES + EDGE_BYTES;

/** The first thread's begin at the first multiple of 64 after the module's own data. */
let blocks: usize = (__heap_base + 63) & ~63;

/** Moves this thread's working memory; returns where it ends. */
export function useBlocks(address: usize): usize {
  blocks = address;
  return address + BLOCKS_BYTES;
}

/** The first address that callers may use. */
export function blocksEnd(): usize {
  return blocks + BLOCKS_BYTES;
}

/** The tile that hangs over an edge, for callers of `multiplyPanels`. */
@inline
export function edgeStart(): usize {
  return blocks + LEFT_BYTES + RIGHT_BYTES;
}

/**
 * out [m, n] = a · b (+ out); a is [m, k] or, transposed, [k, m]; b is [k, n] or, transposed, [n, k]. The strides are the
 * elements from one row to the next, so that a part of a larger product can be asked for, which gives the same bits.
 */
export function matmul(
  out: usize,
  a: usize,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  outStride: i32,
  aStride: i32,
  bStride: i32,
  transposeA: bool,
  transposeB: bool,
  accumulate: bool,
): void {
  const left = blocks;
  const right = left + LEFT_BYTES;
  const edge = edgeStart();
  const strideA = <usize>aStride << 2;
  const strideB = <usize>bStride << 2;
  const strideOut = <usize>outStride << 2;
  if (k == 0 && !accumulate) {
    for (let row: usize = 0; row < <usize>m; ++row) memory.fill(out + row * strideOut, 0, <usize>n << 2);
  }
  for (let p = 0; p < k; p += BLOCK_K) {
    const depth = min(BLOCK_K, k - p);
    for (let j = 0; j < n; j += BLOCK_N) {
      const columns = min(BLOCK_N, n - j);
      const blockB = b + (transposeB ? <usize>j * strideB + (<usize>p << 2) : <usize>p * strideB + (<usize>j << 2));
      packRight(right, blockB, strideB, columns, depth, transposeB);
      for (let i = 0; i < m; i += BLOCK_M) {
        const rows = min(BLOCK_M, m - i);
        const blockA = a + (transposeA ? <usize>p * strideA + (<usize>i << 2) : <usize>i * strideA + (<usize>p << 2));
        packLeft(left, blockA, strideA, rows, depth, transposeA);
        const target = out + <usize>i * strideOut + (<usize>j << 2);
        multiplyPanels(target, strideOut, left, right, rows, columns, depth, accumulate || p > 0, edge);
      }
    }
  }
}
