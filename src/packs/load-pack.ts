import { RecommenderError } from '../errors.ts';
import { sha256Hex } from '../lib/hash.ts';
import { parseManifest } from './manifest.ts';
import type { Pack, PackFile, PackManifest, ReadBytes } from './pack.ts';

/** One finished request, for the network ledger. */
export interface FetchedFile {
  readonly url: string;
  readonly bytes: number;
  readonly reason: string;
}

export interface LoadPackOptions {
  readonly signal?: AbortSignal;
  /** Called after every request, also for files that are then refused. */
  readonly onFetched?: (file: FetchedFile) => void;
  /** The files that are wanted now; default all. */
  readonly only?: (file: PackFile, manifest: PackManifest) => boolean;
}

/**
 * Loads a pack: reads pack.json, then its files, and compares every file's length and SHA-256 before anything is parsed.
 * @param address of pack.json; the files lie beside it.
 * @throws RecommenderError `PACK_UNAVAILABLE` when something cannot be read, `PACK_INVALID` when something does not match,
 * `ABORTED` by the signal.
 */
export async function loadPack(address: string, readBytes: ReadBytes, options: LoadPackOptions = {}): Promise<Pack> {
  const bytes = await readOrExplain(readBytes, address, options.signal);
  options.onFetched?.({ url: address, bytes: bytes.length, reason: 'pack description' });
  return loadFiles({ manifest: await parseManifest(bytes), files: new Map() }, address, readBytes, options);
}

/** The pack with those files, too, that it did not have yet; otherwise as `loadPack()`. */
export async function loadFiles({ manifest, files }: Pack, address: string, readBytes: ReadBytes, { signal, onFetched, only }: LoadPackOptions = {}): Promise<Pack> {
  const missing = manifest.files.filter((file) => !files.has(file.name) && (only?.(file, manifest) ?? true));
  const loaded = await Promise.all(
    missing.map(async (file) => {
      const url = besideAddress(address, file.name);
      const bytes = await readOrExplain(readBytes, url, signal);
      onFetched?.({ url, bytes: bytes.length, reason: `pack ${manifest.name}` });
      await checkFile(manifest, file, bytes);
      return [file.name, bytes] as const;
    }),
  );
  return { manifest, files: new Map([...files, ...loaded]) };
}

/** The address of a file that lies relative to another address: works for URLs and for paths. */
export function besideAddress(address: string, name: string): string {
  const path = address.replace(/[?#].*$/, '');
  return path.slice(0, path.lastIndexOf('/') + 1) + name;
}

/**
 * A pack's file by name.
 * @throws RecommenderError `PACK_INVALID` when the pack does not have it.
 */
export function packFile({ manifest, files }: Pack, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new RecommenderError('PACK_INVALID', `Pack ${manifest.name} has no file ${name}.`);
  return bytes;
}

async function readOrExplain(readBytes: ReadBytes, url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (signal?.aborted) throw new RecommenderError('ABORTED', undefined, { cause: signal.reason });
  try {
    return await readBytes(url, signal);
  } catch (cause) {
    if (cause instanceof RecommenderError) throw cause;
    if (signal?.aborted) throw new RecommenderError('ABORTED', undefined, { cause });
    throw new RecommenderError('PACK_UNAVAILABLE', `${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function checkFile({ name: pack }: PackManifest, { name, bytes: expected, sha256 }: PackFile, bytes: Uint8Array): Promise<void> {
  if (bytes.length !== expected) {
    throw new RecommenderError('PACK_INVALID', `Pack ${pack}: ${name} has ${bytes.length} bytes instead of ${expected}.`);
  }
  if ((await sha256Hex(bytes)) !== sha256) {
    throw new RecommenderError('PACK_INVALID', `Pack ${pack}: ${name} does not have the published SHA-256.`);
  }
}
