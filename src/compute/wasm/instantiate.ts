import { RecommenderError } from '../../errors.ts';

/** One page of WebAssembly memory. */
export const PAGE_BYTES = 65_536;

/** The bytes of a kernel module that `scripts/build-kernels.mjs` made. */
export function decodeKernels(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** The same for a module that was deflated before, because base64 hides from gzip what repeats. */
export async function inflateKernels(base64: string): Promise<ArrayBuffer> {
  const inflated = new Blob([decodeKernels(base64)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(inflated).arrayBuffer();
}

/** What a failed compilation or a missing `WebAssembly` means to the caller. */
export function wasmFailure(cause: unknown): RecommenderError {
  return new RecommenderError('DEVICE_FAILED', 'WebAssembly SIMD is missing, or the page forbids it.', { cause });
}
