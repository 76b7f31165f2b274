import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { Bert } from '../../src/encoder/bert.ts';
import { bertTensors } from '../../src/encoder/encoder-files.ts';
import { createRandom } from '../../src/lib/random.ts';
import { writeSafetensors } from '../../src/lib/safetensors.ts';
import type { SafeTensor } from '../../src/lib/safetensors.ts';
import type { Pack, PackManifest } from '../../src/packs/pack.ts';

export const TINY_VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'white', 'mug', 'heart', '##s', 'a', 'b', 'c', '##a', '##b', '##c', ','];

const dims = { vocabulary: TINY_VOCABULARY.length, embedding: 4, hidden: 8, layers: 2, heads: 2, intermediate: 12, positions: 10 };

/** An encoder pack with seeded random weights, in memory: small enough for every unit test. */
export function createTinyEncoderPack(changes: Partial<PackManifest> = {}, seed = 1): Pack {
  const random = createRandom(seed);
  const { vocabulary, embedding, hidden, intermediate, positions } = dims;
  const tensors: [string, SafeTensor][] = [];
  const matrix = (name: string, rows: number, columns: number): void => {
    const values = Int8Array.from({ length: rows * columns }, () => random.integer(255) - 127);
    tensors.push([name, { dtype: 'I8', shape: [rows, columns], values }]);
    tensors.push([`${name}.scale`, { dtype: 'F32', shape: [rows], values: new Float32Array(rows).fill(0.01) }]);
  };
  const vector = (name: string, size: number, around: number): void => {
    tensors.push([name, { dtype: 'F32', shape: [size], values: Float32Array.from({ length: size }, () => around + 0.1 * random.normal()) }]);
  };
  const linear = (name: string, rows: number, columns: number): void => {
    matrix(`${name}.weight`, rows, columns);
    vector(`${name}.bias`, rows, 0);
  };
  const norm = (name: string): void => {
    vector(`${name}.weight`, hidden, 1);
    vector(`${name}.bias`, hidden, 0);
  };
  matrix('word.table', vocabulary, embedding);
  matrix('word.projection', hidden, embedding);
  matrix('position', positions, hidden);
  norm('embeddings.norm');
  for (let layer = 0; layer < dims.layers; layer++) {
    linear(`layer.${layer}.attention.qkv`, 3 * hidden, hidden);
    linear(`layer.${layer}.attention.output`, hidden, hidden);
    norm(`layer.${layer}.attention.norm`);
    linear(`layer.${layer}.feedforward.inner`, intermediate, hidden);
    linear(`layer.${layer}.feedforward.outer`, hidden, intermediate);
    norm(`layer.${layer}.feedforward.norm`);
  }
  const manifest: PackManifest = {
    schemaVersion: 1,
    kind: 'encoder',
    name: 'tiny',
    revision: '0123456789abcdef',
    created: '2026-01-01T00:00:00Z',
    files: [],
    dims,
    measured: {},
    trainingData: [],
    licence: 'Apache-2.0',
    ...changes,
  };
  return {
    manifest,
    files: new Map([
      ['words.safetensors', writeSafetensors(tensors.filter(isWords))],
      ['layers.safetensors', writeSafetensors(tensors.filter((tensor) => !isWords(tensor)))],
      ['vocab.txt', new TextEncoder().encode(`${TINY_VOCABULARY.join('\n')}\n`)],
    ]),
  };
}

const isWords = ([name]: readonly [string, SafeTensor]): boolean => name.startsWith('word.table');

/** The pack with golden vectors, each value off by `defect`. */
export async function withGolden({ manifest, files }: Pack, defect = 0): Promise<Pack> {
  const texts = [
    [2, 5, 6, 3],
    [2, 3],
  ];
  const bert = new Bert(createReferenceDevice(), bertTensors({ manifest, files }), dims);
  const vectors = (await bert.encode(texts)).map((value) => value + defect);
  const golden = writeSafetensors([
    ['ids', { dtype: 'I32', shape: [6], values: Int32Array.from(texts.flat()) }],
    ['lengths', { dtype: 'I32', shape: [2], values: Int32Array.from(texts, (ids) => ids.length) }],
    ['vectors', { dtype: 'F32', shape: [2, dims.hidden], values: vectors }],
  ]);
  return { manifest, files: new Map([...files, ['golden.safetensors', golden]]) };
}

/** The pack with a static tier, random, too. */
export function withStaticTier({ manifest, files }: Pack, seed = 2): Pack {
  const random = createRandom(seed);
  const { vocabulary, embedding, hidden } = dims;
  const numbers = (shape: number[], draw: () => number): SafeTensor => ({ dtype: 'F32', shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, draw) });
  return {
    manifest,
    files: new Map([
      ...files,
      [
        'static.safetensors',
        writeSafetensors([
          ['static.weight', numbers([vocabulary], () => 0.1 + (random.integer(100) / 100))],
          ['static.projection', { dtype: 'I8', shape: [hidden, embedding], values: Int8Array.from({ length: hidden * embedding }, () => random.integer(255) - 127) }],
          ['static.projection.scale', numbers([hidden], () => 0.01)],
          ['static.bias', numbers([hidden], () => 0.1 * random.normal())],
        ]),
      ],
    ]),
  };
}
