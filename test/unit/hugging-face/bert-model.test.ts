import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { bertModel, type Precision } from '../../../scripts/hugging-face/bert-model.ts';
import { readEncoderWeights } from '../../../scripts/hugging-face/encoder-weights.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { Bert } from '../../../src/encoder/bert.ts';
import { bertTensors } from '../../../src/encoder/encoder-files.ts';
import { createTinyEncoderPack } from '../../helpers/tiny-encoder-pack.ts';

const TEXTS = [[2, 5, 6, 3], [2, 3], [2, 9, 10, 11, 12, 13, 14, 15, 7, 3], [2, 6, 3]];

const pack = createTinyEncoderPack();
const weights = readEncoderWeights(pack);
const { hidden } = weights.dims;
let expected: Float32Array;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  expected = await new Bert(createReferenceDevice(), bertTensors(pack), weights.dims).encode(TEXTS); // [texts, hidden]
});

/** Unit vectors of padded texts from the ONNX model. */
async function encode(precision: Precision): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bertModel(weights, precision));
  const width = Math.max(...TEXTS.map(({ length }) => length));
  const tensor = (valueOf: (ids: readonly number[], place: number) => number): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(TEXTS.flatMap((ids) => Array.from({ length: width }, (_, place) => BigInt(valueOf(ids, place))))), [TEXTS.length, width]);
  const { last_hidden_state: states } = await session.run({
    input_ids: tensor((ids, place) => ids[place] ?? 0),
    attention_mask: tensor((ids, place) => (place < ids.length ? 1 : 0)),
    token_type_ids: tensor(() => 0),
  });
  const values = states!.data as Float32Array; // [texts, width, hidden]
  return Float32Array.from(
    TEXTS.flatMap(({ length }, text) => {
      const sum = Array.from({ length: hidden }, (_, column) => Array.from({ length }, (_, place) => values[(text * width + place) * hidden + column]!).reduce((a, b) => a + b, 0));
      const size = Math.hypot(...sum);
      return sum.map((value) => value / size);
    }),
  );
}

function cosines(vectors: Float32Array): number[] {
  return TEXTS.map((_, text) => {
    const rows = [vectors, expected].map((all) => all.subarray(text * hidden, (text + 1) * hidden));
    return rows[0]!.reduce((sum, value, i) => sum + value * rows[1]![i]!, 0);
  });
}

describe('the ONNX model', () => {
  it('gives the vectors of our own encoder in float32, padding or not', async () => {
    for (const cosine of cosines(await encode('float32'))) expect(cosine).toBeGreaterThan(0.999_999);
  });

  it('comes close in int8, whose activations are rounded too', async () => {
    for (const cosine of cosines(await encode('int8'))) expect(cosine).toBeGreaterThan(0.99);
  });
});
