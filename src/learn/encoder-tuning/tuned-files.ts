import { createReferenceDevice } from '../../compute/reference/device.ts';
import { Bert } from '../../encoder/bert.ts';
import { bertTensors, dimsOf, STATIC } from '../../encoder/encoder-files.ts';
import { parseSafetensors, writeSafetensors, type SafeTensor } from '../../lib/safetensors.ts';
import { packFile } from '../../packs/load-pack.ts';
import type { Pack } from '../../packs/pack.ts';
import { quantiseRows, type FloatTensors } from '../write-recommender.ts';

/**
 * An encoder pack's files with tuned layers in the place of its own: their matrices as int8 rows with a scale each (the pack's own are in 4 bits, which
 * distillation got used to and tuning did not), golden vectors as the reference device computes them from what ships. The static tier is left out:
 * it lies in the old encoder's space, see `refitStaticTier()`.
 */
export async function tunedFiles(pack: Pack, tuned: FloatTensors): Promise<Map<string, Uint8Array>> {
  const layers = [...parseSafetensors(packFile(pack, 'layers.safetensors'))].flatMap(([name, tensor]): [string, SafeTensor][] => {
    const values = tuned.get(name);
    if (values) return values.shape.length === 1 ? [[name, { dtype: 'F32', ...values }]] : quantiseRows(name, values.shape, values.values);
    return tuned.has(name.replace(/\.(scale|multiplier)$/, '')) ? [] : [[name, tensor]];
  });
  const files = new Map(pack.files).set('layers.safetensors', writeSafetensors(layers));
  files.delete(STATIC);
  return files.set('golden.safetensors', await goldenVectors(pack, files));
}

async function goldenVectors(pack: Pack, files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const golden = parseSafetensors(packFile(pack, 'golden.safetensors'));
  const [ids, lengths] = ['ids', 'lengths'].map((name) => golden.get(name)!) as [SafeTensor, SafeTensor];
  let start = 0;
  const texts = Array.from(lengths.values, (length) => [...ids.values.subarray(start, (start += length))]);
  const dims = dimsOf(pack);
  const vectors = await new Bert(createReferenceDevice(), bertTensors({ ...pack, files }), dims).encode(texts);
  return writeSafetensors([
    ['ids', ids],
    ['lengths', lengths],
    ['vectors', { dtype: 'F32', shape: [texts.length, dims.hidden], values: vectors }],
  ]);
}
