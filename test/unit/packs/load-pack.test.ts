import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import { RecommenderError } from '../../../src/errors.ts';
import { writeSafetensors } from '../../../src/lib/safetensors.ts';
import { besideAddress, loadPack, packFile } from '../../../src/packs/load-pack.ts';
import type { FetchedFile } from '../../../src/packs/load-pack.ts';
import { readFileBytes } from '../../../src/packs/read-file-bytes.ts';
import { writePack } from '../../../src/packs/write-pack.ts';
import type { PackDescription } from '../../../src/packs/write-pack.ts';

const description: PackDescription = {
  kind: 'encoder',
  name: 'tiny',
  created: '2026-01-01T00:00:00Z',
  dims: { hidden: 2 },
  measured: { cosine: 0.95 },
  trainingData: [{ name: 'none', licence: 'CC0', credit: 'nobody' }],
  licence: 'Apache-2.0',
};
const weights = writeSafetensors([['w', { dtype: 'F32', shape: [2], values: Float32Array.of(1, 2) }]]);
const vocabulary = new TextEncoder().encode('[PAD]\nword\n');

let folder: string;
let address: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-pack-'));
  address = join(folder, 'pack.json');
  await writePack(folder, description, [
    ['weights.safetensors', weights],
    ['vocabulary.txt', vocabulary],
  ]);
});

afterAll(() => rm(folder, { recursive: true }));

/** Reads the pack with some of its files replaced. */
function readingInstead(replaced: Record<string, Uint8Array | undefined>) {
  return async (path: string): Promise<Uint8Array> => {
    const name = path.slice(folder.length + 1);
    if (!(name in replaced)) return readFileBytes(path);
    const bytes = replaced[name];
    if (!bytes) throw new Error('404 Not Found');
    return bytes;
  };
}

async function failure(work: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RecommenderError) return error;
    throw error;
  }
  throw new Error('The pack was accepted.');
}

async function withManifest(change: (manifest: Record<string, unknown>) => void): Promise<{ code: ErrorCode; message: string }> {
  const manifest = JSON.parse(await readFile(address, 'utf8')) as Record<string, unknown>;
  change(manifest);
  return failure(loadPack(address, readingInstead({ 'pack.json': new TextEncoder().encode(JSON.stringify(manifest)) })));
}

describe('loadPack', () => {
  it('loads what writePack wrote, and reports each request', async () => {
    const fetched: FetchedFile[] = [];
    const pack = await loadPack(address, readFileBytes, { onFetched: (file) => fetched.push(file) });
    expect(pack.manifest).toMatchObject({ ...description, schemaVersion: 1 });
    expect(packFile(pack, 'weights.safetensors')).toEqual(weights);
    expect(fetched.map((file) => file.url).sort()).toEqual(['pack.json', 'vocabulary.txt', 'weights.safetensors'].map((name) => join(folder, name)));
    expect(() => packFile(pack, 'absent')).toThrow('has no file absent');
  });

  it('writes the same bytes for the same content', async () => {
    const before = await readFile(address);
    await writePack(folder, description, [
      ['weights.safetensors', weights],
      ['vocabulary.txt', vocabulary],
    ]);
    expect(await readFile(address)).toEqual(before);
  });

  it('refuses a file with any one bit flipped', async () => {
    const originals = { 'weights.safetensors': weights, 'vocabulary.txt': vocabulary };
    const flips = fc.constantFrom(...(Object.keys(originals) as (keyof typeof originals)[])).chain((name) =>
      fc.record({ name: fc.constant(name), bit: fc.nat(originals[name].length * 8 - 1) }),
    );
    await fc.assert(
      fc.asyncProperty(flips, async ({ name, bit }) => {
        const flipped = originals[name].slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const { code, message } = await failure(loadPack(address, readingInstead({ [name]: flipped })));
        expect(code).toBe('PACK_INVALID');
        expect(message).toContain(name);
      }),
    );
  });

  it('refuses a truncated file', async () => {
    const work = loadPack(address, readingInstead({ 'weights.safetensors': weights.subarray(0, weights.length - 4) }));
    expect(await failure(work)).toMatchObject({ code: 'PACK_INVALID', message: expect.stringMatching(/has \d+ bytes instead of/) as string });
  });

  it.each([
    ['schemaVersion', (pack: Record<string, unknown>) => (pack.schemaVersion = 2), /schemaVersion must be 1/],
    ['kind', (pack: Record<string, unknown>) => (pack.kind = 'oracle'), /kind must be/],
    ['revision', (pack: Record<string, unknown>) => (pack.revision = '0123456789abcdef'), /says revision 0123456789abcdef, its files/],
    ['dims', (pack: Record<string, unknown>) => (pack.dims = { hidden: '2' }), /dims.hidden must be a number/],
    ['model', (pack: Record<string, unknown>) => (pack.model = 'mamba'), /model must be one of lstm, gru, transformer/],
    ['files', (pack: Record<string, unknown>) => (pack.files = []), /files must be a list with at least one/],
    ['file name', (pack: Record<string, unknown>) => (pack.files = [{ name: '../x', bytes: 1, sha256: 'a'.repeat(64) }]), /plain file name/],
    ['hash', (pack: Record<string, unknown>) => (pack.files = [{ name: 'x', bytes: 1, sha256: 'A' }]), /64 hex digits/],
    ['trainingData', (pack: Record<string, unknown>) => (pack.trainingData = {}), /trainingData must be a list/],
    ['encoder', (pack: Record<string, unknown>) => (pack.encoder = { revision: '' }), /encoder.revision must be 16 hex digits/],
    ['features', (pack: Record<string, unknown>) => (pack.features = { name: 'f', version: 1, names: [1] }), /features.names\[0\] must be a text/],
  ])('refuses a wrong %s', async (_, change, message) => {
    const { code, message: said } = await withManifest(change);
    expect(code).toBe('PACK_INVALID');
    expect(said).toMatch(message);
  });

  it('refuses a pack.json that is not JSON', async () => {
    const work = loadPack(address, readingInstead({ 'pack.json': new TextEncoder().encode('<!doctype html>') }));
    expect(await failure(work)).toMatchObject({ code: 'PACK_INVALID' });
  });

  it('says which file is unavailable', async () => {
    const { code, message } = await failure(loadPack(address, readingInstead({ 'vocabulary.txt': undefined })));
    expect(code).toBe('PACK_UNAVAILABLE');
    expect(message).toMatch(/vocabulary\.txt: 404 Not Found/);
  });

  it('reports an abort as such', async () => {
    const { code } = await failure(loadPack(address, readFileBytes, { signal: AbortSignal.abort() }));
    expect(code).toBe('ABORTED');
  });

  it('writes nothing for a description that could not be loaded', async () => {
    const target = join(folder, 'never');
    expect(await failure(writePack(target, { ...description, dims: { hidden: NaN } }, [['vocabulary.txt', vocabulary]]))).toMatchObject({
      code: 'PACK_INVALID',
    });
    await expect(readFile(join(target, 'pack.json'))).rejects.toThrow('ENOENT');
  });
});

describe('besideAddress', () => {
  it.each([
    ['/models/a/pack.json', 'weights.safetensors', '/models/a/weights.safetensors'],
    ['https://shop.example/a/pack.json?v=2#x', 'w', 'https://shop.example/a/w'],
    ['pack.json', '../encoder-en/pack.json', '../encoder-en/pack.json'],
  ])('%s and %s give %s', (address, name, expected) => {
    expect(besideAddress(address, name)).toBe(expected);
  });
});
