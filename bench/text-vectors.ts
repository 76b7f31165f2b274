import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { openEncoder } from '../src/cli/encoder.ts';

const ENCODER = 'models/encoder-en';
const CACHE = new URL('../node_modules/.cache/shelfwise-bench/', import.meta.url);
const BATCH = 256;

/** What a bench took minutes to compute, kept between runs by what it was computed from. */
export async function cached(name: string, from: readonly string[], compute: () => Promise<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const hash = createHash('sha256');
  for (const part of from) hash.update(part).update('\0');
  const file = new URL(`${name}-${hash.digest('hex').slice(0, 16)}`, CACHE);
  const known = await readFile(file).catch(() => null);
  if (known) return Uint8Array.from(known);
  const bytes = await compute();
  await mkdir(CACHE, { recursive: true });
  await writeFile(file, bytes);
  return Uint8Array.from(bytes);
}

/** Vectors of texts by the shipped encoder, [texts, dimensions], and its revision. */
export async function textVectors(name: string, texts: readonly string[]): Promise<{ vectors: Float32Array; dimensions: number; revision: string }> {
  const { encoder, device } = await openEncoder(ENCODER);
  const { dimensions, revision } = encoder;
  const bytes = await cached(`texts-${name}`, [revision, ...texts], async () => {
    const vectors = new Float32Array(texts.length * dimensions);
    for (let start = 0; start < texts.length; start += BATCH) {
      vectors.set(await encoder.encode(texts.slice(start, start + BATCH)), start * dimensions);
      if (start % (16 * BATCH) === 0) console.log(`${name}: ${start} of ${texts.length} texts`);
    }
    return new Uint8Array(vectors.buffer);
  });
  encoder.dispose();
  device.dispose();
  return { vectors: new Float32Array(bytes.buffer), dimensions, revision };
}
