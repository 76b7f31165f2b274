import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Reads a path or a `file:` address from the file system, for Node. */
export async function readFileBytes(address: string, signal?: AbortSignal): Promise<Uint8Array> {
  const path = address.startsWith('file:') ? fileURLToPath(address) : address;
  const content = await readFile(path, signal && { signal });
  // Node may hand out a slice of its pool; a copy of its own is aligned for typed-array views.
  return new Uint8Array(content);
}
