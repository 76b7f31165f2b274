import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BertDims } from '../../src/encoder/bert.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';
import { bertModel } from './bert-model.ts';
import { readEncoderWeights } from './encoder-weights.ts';
import { tokenizerConfig, tokenizerJson } from './tokenizer-files.ts';

/** What this writes; a folder of another version is written again. */
const LAYOUT_VERSION = 1;

/** A file of the layout and its size. */
export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Writes an encoder pack in the layout of the Hugging Face hub, as transformers.js loads it: configuration, tokenizer, the ONNX model in
 * float32 and in int8 (`onnx/model_quantized.onnx`). Beside them the pack's licence notice, where there is one.
 * @param packFolder holds pack.json.
 * @throws RecommenderError `PACK_UNAVAILABLE` or `PACK_INVALID` when the pack cannot be used.
 */
export async function writeHuggingFaceLayout(packFolder: string, outFolder: string): Promise<readonly WrittenFile[]> {
  const pack = await loadPack(join(packFolder, 'pack.json'), readFileBytes);
  const weights = readEncoderWeights(pack);
  const { positions } = weights.dims;
  const files: readonly (readonly [name: string, content: Uint8Array | object])[] = [
    ['tokenizer.json', tokenizerJson(weights.vocabulary, positions)],
    ['tokenizer_config.json', tokenizerConfig(positions)],
    ['onnx/model.onnx', bertModel(weights, 'float32')],
    ['onnx/model_quantized.onnx', bertModel(weights, 'int8')],
    // Last, since it says that the folder is whole.
    ['config.json', modelConfig(weights.dims, pack.manifest.revision)],
  ];
  const written: WrittenFile[] = [];
  for (const [name, content] of files) {
    const bytes = content instanceof Uint8Array ? content : new TextEncoder().encode(`${JSON.stringify(content)}\n`);
    await writeWhole(join(outFolder, name), bytes);
    written.push({ name, bytes: bytes.length });
  }
  await copyFile(join(packFolder, 'NOTICE'), join(outFolder, 'NOTICE')).catch(() => undefined);
  return written;
}

/**
 * The same, unless the folder was already written from this very pack.
 * @returns whether it had to be written.
 */
export async function ensureHuggingFaceLayout(packFolder: string, outFolder: string): Promise<boolean> {
  const { revision } = JSON.parse(await readFile(join(packFolder, 'pack.json'), 'utf8')) as { revision: string };
  const there = await readFile(join(outFolder, 'config.json'), 'utf8').then((json) => JSON.parse(json) as Record<string, unknown>, () => null);
  if (there?.['shelfwise_revision'] === revision && there['shelfwise_layout'] === LAYOUT_VERSION) return false;
  await writeHuggingFaceLayout(packFolder, outFolder);
  return true;
}

/** `config.json` as Hugging Face's BERT has it; `embedding_size` and the names of ours are additions. */
function modelConfig({ vocabulary, embedding, hidden, layers, heads, intermediate, positions }: BertDims, revision: string): object {
  return {
    architectures: ['BertModel'],
    model_type: 'bert',
    vocab_size: vocabulary,
    embedding_size: embedding,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediate,
    max_position_embeddings: positions,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    shelfwise_revision: revision,
    shelfwise_layout: LAYOUT_VERSION,
  };
}

/** Renamed into place, so that whoever reads meanwhile sees no half file. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}
