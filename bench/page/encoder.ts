import type { Device } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { createTfjsDevice } from '../../src/compute/tfjs/device.ts';
import { loadWebgpuDevice } from '../../src/compute/webgpu/load.ts';
import { Bert } from '../../src/encoder/bert.ts';
import { createDistilledEncoder } from '../../src/encoder/distilled-encoder.ts';
import { bertTensors, dimsOf } from '../../src/encoder/encoder-files.ts';
import { createRandom } from '../../src/lib/random.ts';
import { fetchBytes } from '../../src/packs/fetch-bytes.ts';
import { loadPack } from '../../src/packs/load-pack.ts';
import type { Pack } from '../../src/packs/pack.ts';
import { createOurDevice, type Arithmetic } from './our-device.ts';
import { startTfjsWasm } from './peers/tfjs-wasm.ts';
import { startOnnxEncoder, startTransformers, type Encode, type TokenBatch } from './peers/transformers.ts';
import { largestDifference, timeRounds, type Contender, type Times } from './rounds.ts';

/** [CLS] and [SEP] included: a title of a dozen words. */
const TOKENS = 16;
const FIRST_WORD = 1_000; // below are brackets and single characters
const FLOAT_TOLERANCE = 1e-4;
/** Two ways to quantise activations, neither exact: 1 - cosine of their vectors. */
const INT8_TOLERANCE = 0.02;

/** Ours beside onnxruntime-web on the same weights, from token ids to unit vectors. */
export async function encodeBatch(arithmetic: Arithmetic, texts: number, rounds: number): Promise<Times<'shelfwise' | 'transformers.js' | 'onnxruntime-web'>> {
  const { ours, batch, hidden } = await prepare(arithmetic, texts);
  const precision = arithmetic === 'int8' ? 'q8' : 'fp32';
  return timeRounds(
    {
      shelfwise: ours,
      'transformers.js': peer(await startTransformers(precision), batch, hidden),
      'onnxruntime-web': peer(await startOnnxEncoder(precision), batch, hidden),
    },
    { rounds, ...(arithmetic === 'int8' ? { tolerance: INT8_TOLERANCE, distance: (a, b) => 1 - lowestCosine(a, b, hidden) } : { tolerance: FLOAT_TOLERANCE }) },
  );
}

/** Ours in float32 beside the same model as tfjs ops. */
export async function encodeOnTfjs(texts: number, rounds: number): Promise<Times<'shelfwise' | 'tfjs-wasm'>> {
  const { ours, ids, pack } = await prepare('f32', texts);
  const bert = createBert(pack, createTfjsDevice(await startTfjsWasm()));
  return timeRounds({ shelfwise: ours, 'tfjs-wasm': () => bert.encode(ids) }, { rounds, tolerance: FLOAT_TOLERANCE });
}

/** Cosines of the vectors of titles in int8 arithmetic to those in float32, of the same shipped weights. */
export async function compareArithmetic(titles: readonly string[]): Promise<number[]> {
  const pack = await loadEncoder();
  const int8 = createDistilledEncoder(pack, await createOurDevice('int8'));
  const f32 = createDistilledEncoder(pack, await createOurDevice('f32'));
  return cosines(await int8.encode(titles), await f32.encode(titles), int8.dimensions);
}

/** Largest absolute difference on WebGPU from the reference; null while WebGPU does not encode. */
export async function encoderOnWebgpu(): Promise<number | null> {
  const gpu = await loadWebgpuDevice();
  if (!gpu.supports.has('encode')) return null;
  const pack = await loadEncoder();
  const { ids } = drawTexts(pack, 2);
  const expected = await createBert(pack, createReferenceDevice()).encode(ids);
  return largestDifference(expected, await createBert(pack, gpu).encode(ids));
}

async function prepare(arithmetic: Arithmetic, texts: number) {
  const pack = await loadEncoder();
  const bert = createBert(pack, await createOurDevice(arithmetic));
  const { ids, batch } = drawTexts(pack, texts);
  const ours: Contender = () => bert.encode(ids);
  return { pack, ours, ids, batch, hidden: bert.dims.hidden };
}

function loadEncoder(): Promise<Pack> {
  return loadPack('/models/encoder-en/pack.json', fetchBytes);
}

function createBert(pack: Pack, device: Device): Bert {
  return new Bert(device, bertTensors(pack), dimsOf(pack));
}

/** Texts of random words, as ours and as the peers take them. */
function drawTexts(pack: Pack, texts: number): { ids: number[][]; batch: TokenBatch } {
  const random = createRandom(1);
  const words = dimsOf(pack).vocabulary - FIRST_WORD;
  const ids = Array.from({ length: texts }, () => Array.from({ length: TOKENS }, () => FIRST_WORD + random.integer(words)));
  return { ids, batch: { texts, tokens: TOKENS, ids: BigInt64Array.from(ids.flat(), BigInt) } };
}

/** A peer with the last step that models of this kind need: the mean over tokens, at unit length. */
function peer(encode: Encode, batch: TokenBatch, hidden: number): Contender {
  return async () => meanPool(await encode(batch), batch, hidden);
}

function meanPool(states: Float32Array, { texts, tokens }: TokenBatch, hidden: number): Float32Array {
  const vectors = new Float32Array(texts * hidden);
  for (let text = 0; text < texts; text++) {
    const vector = vectors.subarray(text * hidden, (text + 1) * hidden);
    for (let token = 0; token < tokens; token++) {
      const start = (text * tokens + token) * hidden;
      for (let k = 0; k < hidden; k++) vector[k]! += states[start + k]!;
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (let k = 0; k < hidden; k++) vector[k]! /= length;
  }
  return vectors;
}

/** Of unit rows. */
function cosines(a: Float32Array, b: Float32Array, width: number): number[] {
  return Array.from({ length: a.length / width }, (_, row) => {
    let sum = 0;
    for (let k = row * width; k < (row + 1) * width; k++) sum += a[k]! * b[k]!;
    return sum;
  });
}

function lowestCosine(a: Float32Array, b: Float32Array, width: number): number {
  return Math.min(...cosines(a, b, width));
}
