import { createReferenceDevice } from '../../compute/reference/device.ts';
import { itemText } from '../../encoder/item-text.ts';
import { NO_TEXT_ENCODER } from '../../encoder/no-text-encoder.ts';
import { RecommenderError } from '../../errors.ts';
import type { PackModels } from '../../evaluate/pack-rankers.ts';
import { dequantiseRows, quantiseUnitRows } from '../../lib/quantised-rows.ts';
import { loadPack } from '../../packs/load-pack.ts';
import type { PackManifest } from '../../packs/pack.ts';
import { readFileBytes } from '../../packs/read-file-bytes.ts';
import { loadModels } from '../../worker/models.ts';
import type { CatalogueItems } from '../data.ts';
import { createPlainDevice } from '../device.ts';
import { openEncoder, packAddress } from '../encoder.ts';

/** A recommender pack as the engine loads it, and its encoder. */
export interface OpenPack extends PackModels {
  readonly manifest: PackManifest;
  /** Unit rows of the titles, rounded as a device keeps them: [items, dimensions]; of no dimensions where the pack names no encoder. */
  encode(catalogue: CatalogueItems, onProgress: (done: number, all: number) => void): Promise<{ readonly texts: readonly string[]; readonly textVectors: Float32Array; readonly dimensions: number }>;
  dispose(): Promise<void>;
}

const TITLES_AT_ONCE = 1_024;

/**
 * Opens a pack on WebAssembly in plain float32, where golden vectors are answered first.
 * @throws RecommenderError `PACK_UNAVAILABLE`, `PACK_INVALID`, `DEVICE_FAILED`
 */
export async function openPack(path: string): Promise<OpenPack> {
  const pack = packAddress(path);
  const { manifest } = await loadPack(pack, readFileBytes);
  if (manifest.kind !== 'recommender') throw new RecommenderError('PACK_INVALID', `${path} is a pack of kind ${manifest.kind}; name a recommender, as "shelfwise train" writes.`);
  const opened = manifest.encoder ? await openEncoder(path) : null;
  const encoder = opened?.encoder ?? NO_TEXT_ENCODER;
  const models = await loadModels(
    { pack, device: 'wasm' },
    { readBytes: readFileBytes, devices: { wasm: createPlainDevice, reference: () => Promise.resolve(createReferenceDevice()) }, encoder: () => Promise.resolve(encoder) },
    { report: () => undefined }, // a device that is left has a successor, or loadModels() throws
  );
  return {
    ranker: models.ranker,
    demand: models.demand,
    indexOf: models.indexOf,
    manifest,
    async encode({ ids, titles }, onProgress) {
      const { dimensions } = encoder;
      const texts = ids.map((id, item) => itemText({ id, title: titles[item]! }));
      const textVectors = new Float32Array(ids.length * dimensions);
      for (let start = 0; dimensions > 0 && start < ids.length; start += TITLES_AT_ONCE) {
        const end = Math.min(ids.length, start + TITLES_AT_ONCE);
        textVectors.set(dequantiseRows(quantiseUnitRows(await encoder.encode(texts.slice(start, end)), dimensions)), start * dimensions);
        onProgress(end, ids.length);
      }
      return { texts, textVectors, dimensions };
    },
    async dispose() {
      await models.dispose();
      opened?.encoder.dispose();
      opened?.device.dispose();
    },
  };
}
