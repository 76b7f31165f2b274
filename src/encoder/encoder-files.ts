import type { Device } from '../compute/device.ts';
import { RecommenderError } from '../errors.ts';
import { parseSafetensors, type SafeTensors } from '../lib/safetensors.ts';
import { packFile } from '../packs/load-pack.ts';
import type { Pack, PackManifest } from '../packs/pack.ts';
import { rowReader } from '../packs/pack-tensors.ts';
import type { BertDims } from './bert.ts';
import type { ItemEncoder } from './item-encoder.ts';
import { createStaticEncoder } from './static-encoder.ts';
import { createTokenizer, type WordPieceTokenizer } from './tokenizer.ts';

/** The file of the static tier. */
export const STATIC = 'static.safetensors';
/** What the static tier needs: at most 2 MB, fetched before the layers. */
const FIRST_FILES = new Set(['vocab.txt', 'words.safetensors', STATIC]);

/** Whether a file of an encoder pack is fetched before the others. */
export function isFirstFile({ name }: { readonly name: string }): boolean {
  return FIRST_FILES.has(name);
}

/** Whether a pack has a static tier: it may do without. */
export function hasStaticTier({ files }: Pick<PackManifest, 'files'>): boolean {
  return files.some(({ name }) => name === STATIC);
}

const DIMENSIONS = ['vocabulary', 'embedding', 'hidden', 'layers', 'heads', 'intermediate', 'positions'] as const satisfies (keyof BertDims)[];

/**
 * The sizes of an encoder pack.
 * @throws RecommenderError `PACK_INVALID` when it is a pack of another kind or a size is missing.
 */
export function dimsOf({ manifest }: Pick<Pack, 'manifest'>): BertDims {
  if (manifest.kind !== 'encoder') throw new RecommenderError('PACK_INVALID', `Pack ${manifest.name} is a ${manifest.kind} pack, not an encoder.`);
  const sizeOf = (name: keyof BertDims): number => {
    const size = manifest.dims[name];
    if (size === undefined || !Number.isSafeInteger(size) || size < 1) {
      throw new RecommenderError('PACK_INVALID', `Pack ${manifest.name} needs dims.${name}, a count.`);
    }
    return size;
  };
  return Object.fromEntries(DIMENSIONS.map((name) => [name, sizeOf(name)])) as Record<(typeof DIMENSIONS)[number], number>;
}

/** Both tiers of a pack share one, by the bytes of vocab.txt, which a pack keeps while its other files arrive. */
const known = new WeakMap<Uint8Array, WordPieceTokenizer>();

/** What the pack's texts are split with; made once. @throws RecommenderError `PACK_INVALID` */
export function tokenizerOf(pack: Pack): WordPieceTokenizer {
  const vocabulary = packFile(pack, 'vocab.txt');
  const tokenizer = known.get(vocabulary) ?? readTokenizer(pack, vocabulary);
  known.set(vocabulary, tokenizer);
  return tokenizer;
}

function readTokenizer(pack: Pack, bytes: Uint8Array): WordPieceTokenizer {
  const { vocabulary, positions } = dimsOf(pack);
  const tokenizer = createTokenizer(new TextDecoder().decode(bytes), positions);
  if (tokenizer.vocabularySize !== vocabulary) {
    throw new RecommenderError('PACK_INVALID', `vocab.txt has ${tokenizer.vocabularySize} tokens instead of ${vocabulary}.`);
  }
  return tokenizer;
}

/** Every tensor of the encoder. */
export function bertTensors(pack: Pack): SafeTensors {
  return new Map([...wordTensors(pack), ...parseSafetensors(packFile(pack, 'layers.safetensors'))]);
}

function wordTensors(pack: Pack): SafeTensors {
  return parseSafetensors(packFile(pack, 'words.safetensors'));
}

/** The static tier of a pack that has one, on a device. @throws RecommenderError `PACK_INVALID` */
export function createStaticTier(pack: Pack, device: Device): ItemEncoder {
  const dims = dimsOf(pack);
  const readWord = rowReader(wordTensors(pack), 'word.table', [dims.vocabulary, dims.embedding]);
  const tensors = parseSafetensors(packFile(pack, STATIC));
  return createStaticEncoder({ revision: pack.manifest.revision, dims, tokenizer: tokenizerOf(pack), readWord, tensors }, device);
}
