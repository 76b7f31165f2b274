import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '../lib/hash.ts';
import { parseManifest, revisionOf } from './manifest.ts';
import type { PackFile, PackManifest } from './pack.ts';

/** What the writer of a pack says about it; hashes and revision follow from the files. */
export type PackDescription = Omit<PackManifest, 'schemaVersion' | 'revision' | 'files'>;

/**
 * Writes a pack's files into a folder, and pack.json last, so that a half-written pack never describes itself as whole.
 * The same description and files give the same bytes.
 * @throws RecommenderError `PACK_INVALID` when the description is not of the documented form.
 */
export async function writePack(
  folder: string,
  description: PackDescription,
  files: Iterable<readonly [name: string, bytes: Uint8Array]>,
): Promise<PackManifest> {
  const contents = [...files];
  const described: PackFile[] = await Promise.all(
    contents.map(async ([name, bytes]) => ({ name, bytes: bytes.length, sha256: await sha256Hex(bytes) })),
  );
  // What follows from the files stands last: a caller may hand in a whole manifest that it read elsewhere.
  const manifest = { ...description, schemaVersion: 1, revision: await revisionOf(described), files: described };
  const json = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  const checked = await parseManifest(json);
  await mkdir(folder, { recursive: true });
  for (const [file, bytes] of [...contents, ['pack.json', json] as const]) {
    const path = join(folder, file);
    await writeFile(`${path}.part`, bytes);
    await rename(`${path}.part`, path);
  }
  return checked;
}
