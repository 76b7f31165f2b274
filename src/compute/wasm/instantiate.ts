import { RecommenderError } from '../../errors.ts';

/** One page of WebAssembly memory. */
export const PAGE_BYTES = 65_536;

/** The bytes of a kernel module that `scripts/build-kernels.mjs` made. */
export function decodeKernels(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What a failed compilation or a missing `WebAssembly` means to the caller. */
export function wasmFailure(cause: unknown): RecommenderError {
  return new RecommenderError('DEVICE_FAILED', 'WebAssembly with SIMD is missing or the page’s policy forbids it.', { cause });
}
