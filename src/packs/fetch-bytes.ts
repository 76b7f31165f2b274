import { RecommenderError } from '../errors.ts';

/**
 * Reads an address through `fetch`, in pages and workers. The server is asked whether a cached copy is still current,
 * so that a pack is never mixed from two revisions.
 * @throws RecommenderError `PACK_UNAVAILABLE` for any answer but 2xx; what `fetch` itself throws passes through.
 */
export async function fetchBytes(address: string, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(address, { cache: 'no-cache', ...(signal && { signal }) });
  if (!response.ok) throw new RecommenderError('PACK_UNAVAILABLE', `${address} answered ${response.status} ${response.statusText}`.trimEnd() + '.');
  return new Uint8Array(await response.arrayBuffer());
}
