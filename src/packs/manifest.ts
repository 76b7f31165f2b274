import { RecommenderError } from '../errors.ts';
import { sha256Hex } from '../lib/hash.ts';
import { parseJson } from '../lib/parse-json.ts';
import type { PackFile, PackManifest } from './pack.ts';
import { SEQUENCE_KINDS } from './sequence-kinds.ts';

/** Hex digits. */
const REVISION_DIGITS = 16;
const SHA256_DIGITS = 64;

/** A file beside pack.json, and nothing else: no folders, no parent, no hidden file. */
const FILE_NAME = /^[A-Za-z0-9_][\w.-]*$/;

/** The revision that belongs to files: SHA-256 over their own hashes in order, shortened. */
export async function revisionOf(files: readonly PackFile[]): Promise<string> {
  const hashes = new TextEncoder().encode(files.map((file) => file.sha256).join(''));
  return (await sha256Hex(hashes)).slice(0, REVISION_DIGITS);
}

/**
 * Reads and checks a pack.json, without its files.
 * @throws RecommenderError `PACK_INVALID` that names the first field which is not of the documented form.
 */
export async function parseManifest(bytes: Uint8Array): Promise<PackManifest> {
  const value = parseJson(bytes, (cause) => new RecommenderError('PACK_INVALID', 'pack.json is not JSON.', { cause }));
  assertManifest(value);
  const revision = await revisionOf(value.files);
  if (revision !== value.revision) {
    throw new RecommenderError('PACK_INVALID', `pack.json says revision ${value.revision}, its files' hashes say ${revision}.`);
  }
  return value;
}

function assertManifest(value: unknown): asserts value is PackManifest {
  const pack = asRecord(value, 'pack.json');
  if (pack.schemaVersion !== 1) throw wrong('schemaVersion', '1, the only one this version reads');
  if (pack.kind !== 'encoder' && pack.kind !== 'recommender') throw wrong('kind', "'encoder' or 'recommender'");
  for (const field of ['name', 'created', 'licence']) asText(pack[field], field);
  assertHex(pack.revision, 'revision', REVISION_DIGITS);
  assertFiles(pack.files);
  assertNumbers(pack.dims, 'dims');
  assertNumbers(pack.measured, 'measured');
  asArray(pack.trainingData, 'trainingData').forEach((entry, i) => {
    const source = asRecord(entry, `trainingData[${i}]`);
    for (const field of ['name', 'licence', 'credit']) asText(source[field], `trainingData[${i}].${field}`);
  });
  if (pack.encoder !== undefined) {
    const encoder = asRecord(pack.encoder, 'encoder');
    assertHex(encoder.revision, 'encoder.revision', REVISION_DIGITS);
    asText(encoder.address, 'encoder.address');
  }
  if (pack.base !== undefined) {
    const base = asRecord(pack.base, 'base');
    asText(base.name, 'base.name');
    assertHex(base.revision, 'base.revision', REVISION_DIGITS);
  }
  if (pack.model !== undefined && !SEQUENCE_KINDS.some((kind) => kind === pack.model)) throw wrong('model', `one of ${SEQUENCE_KINDS.join(', ')}`);
  if (pack.features !== undefined) {
    const features = asRecord(pack.features, 'features');
    asText(features.name, 'features.name');
    if (typeof features.version !== 'number') throw wrong('features.version', 'a number');
    asArray(features.names, 'features.names').forEach((name, i) => asText(name, `features.names[${i}]`));
  }
}

function assertFiles(value: unknown): void {
  const files = asArray(value, 'files');
  if (files.length === 0) throw wrong('files', 'a list with at least one file');
  const names = new Set<string>();
  files.forEach((entry, i) => {
    const file = asRecord(entry, `files[${i}]`);
    const name = asText(file.name, `files[${i}].name`);
    if (!FILE_NAME.test(name) || names.has(name)) throw wrong(`files[${i}].name`, 'a plain file name, used once');
    names.add(name);
    if (!Number.isSafeInteger(file.bytes) || (file.bytes as number) < 0) throw wrong(`files[${i}].bytes`, 'a count of bytes');
    assertHex(file.sha256, `files[${i}].sha256`, SHA256_DIGITS);
  });
}

function assertNumbers(value: unknown, field: string): void {
  for (const [key, number] of Object.entries(asRecord(value, field))) {
    if (typeof number !== 'number' || !Number.isFinite(number)) throw wrong(`${field}.${key}`, 'a number');
  }
}

function asRecord(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(field, 'an object');
  return value as Record<string, unknown>;
}

function asArray(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(field, 'a list');
  return value;
}

function asText(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field, 'a text');
  return value;
}

function assertHex(value: unknown, field: string, digits: number): void {
  const text = asText(value, field);
  if (text.length !== digits || /[^\da-f]/.test(text)) throw wrong(field, `${digits} hex digits`);
}

function wrong(field: string, expected: string): RecommenderError {
  return new RecommenderError('PACK_INVALID', `${field} must be ${expected}.`);
}
