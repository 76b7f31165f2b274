import { fileURLToPath } from 'node:url';
import { openEncoder } from '../../src/cli/encoder.ts';

const BATCH = 64;

/**
 * Unit vectors of titles, then of phrases, by the shipped encoder. All are centred on the titles' mean, since what
 * every title of a gift shop has in common says nothing about which is which. [titles + phrases, dimensions]
 */
export async function textVectors(titles: readonly string[], phrases: readonly string[]): Promise<{ readonly vectors: Float32Array; readonly dimensions: number }> {
  const { encoder, device } = await openEncoder(fileURLToPath(new URL('../../models/encoder-en', import.meta.url)));
  const { dimensions } = encoder;
  const texts = [...titles, ...phrases];
  const vectors = new Float32Array(texts.length * dimensions);
  for (let from = 0; from < texts.length; from += BATCH) vectors.set(await encoder.encode(texts.slice(from, from + BATCH)), from * dimensions);
  device.dispose();
  const mean = new Float64Array(dimensions);
  for (let cell = 0; cell < titles.length * dimensions; cell++) mean[cell % dimensions]! += vectors[cell]! / titles.length;
  for (let start = 0; start < vectors.length; start += dimensions) {
    let square = 0;
    for (let d = 0; d < dimensions; d++) square += (vectors[start + d]! - mean[d]!) ** 2;
    for (let d = 0; d < dimensions; d++) vectors[start + d] = (vectors[start + d]! - mean[d]!) / (Math.sqrt(square) || 1);
  }
  return { vectors, dimensions };
}
