import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createDistilledEncoder } from '../../../src/encoder/distilled-encoder.ts';
import { createStaticTier } from '../../../src/encoder/encoder-files.ts';
import { dequantiseRows } from '../../../src/lib/quantised-rows.ts';
import { parseSafetensors } from '../../../src/lib/safetensors.ts';
import { floatTensor, quantisedRows } from '../../../src/packs/pack-tensors.ts';
import { createTinyEncoderPack, TINY_VOCABULARY, withStaticTier } from '../../helpers/tiny-encoder-pack.ts';

const HIDDEN = 8;
const EMBEDDING = 4;
const pack = withStaticTier(createTinyEncoderPack());
const tier = createStaticTier(pack, createReferenceDevice());

/** unit(P · Σ w e / Σ w + b), as it is written. */
function expected(tokens: readonly string[]): number[] {
  const tensors = parseSafetensors(pack.files.get('static.safetensors')!);
  const table = dequantiseRows(quantisedRows(parseSafetensors(pack.files.get('words.safetensors')!), 'word.table', [TINY_VOCABULARY.length, EMBEDDING]));
  const weight = floatTensor(tensors, 'static.weight', [TINY_VOCABULARY.length]);
  const projection = floatTensor(tensors, 'static.projection', [HIDDEN, EMBEDDING]);
  const ids = tokens.map((token) => TINY_VOCABULARY.indexOf(token));
  const total = ids.reduce((sum, id) => sum + weight[id]!, 0) || 1;
  const mean = Array.from({ length: EMBEDDING }, (_, k) => ids.reduce((sum, id) => sum + weight[id]! * table[id * EMBEDDING + k]!, 0) / total);
  const raw = Array.from(floatTensor(tensors, 'static.bias', [HIDDEN]), (bias, unit) => bias + mean.reduce((sum, value, k) => sum + projection[unit * EMBEDDING + k]! * value, 0));
  return raw.map((value) => value / Math.hypot(...raw));
}

describe('the static tier', () => {
  it.each([
    ['white mugs', ['white', 'mug', '##s']],
    ['heart', ['heart']],
    ['unheard of', ['[UNK]', '[UNK]']],
    ['', []],
  ])('of %j is the weighted mean of its word vectors, projected', async (text, tokens) => {
    const vector = await tier.encode([text]);
    expected(tokens).forEach((value, k) => expect(vector[k]).toBeCloseTo(value, 5));
  });

  it('gives unit vectors for any texts, each as if it were alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('mug ', 'white ', 'a', 's', ' ', '?') }), { maxLength: 6 }), async (texts) => {
        const vectors = await tier.encode(texts);
        for (const [row, text] of texts.entries()) {
          const vector = vectors.subarray(row * HIDDEN, (row + 1) * HIDDEN);
          expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
          expect(vector).toEqual(await tier.encode([text]));
        }
      }),
    );
  });

  it('has the revision and the dimensions of the encoder, which reads the same files', async () => {
    const device = createReferenceDevice();
    const encoder = createDistilledEncoder(pack, device);
    expect([tier.revision, tier.dimensions]).toEqual([encoder.revision, encoder.dimensions]);
    const before = createDistilledEncoder(createTinyEncoderPack(), device);
    expect(await encoder.encode(['white mug'])).toEqual(await before.encode(['white mug']));
  });
});
