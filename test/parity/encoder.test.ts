import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '../helpers/tfjs.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/compute/device.ts';
import { createReferenceDevice } from '../../src/compute/reference/device.ts';
import { checkDevice } from '../../src/compute/self-test.ts';
import { createTfjsDevice } from '../../src/compute/tfjs/device.ts';
import { createWasmDevice } from '../../src/compute/wasm/device.ts';
import { createDistilledEncoder, encoderGoldenCase } from '../../src/encoder/distilled-encoder.ts';
import { createTokenizer } from '../../src/encoder/tokenizer.ts';
import { parseSafetensors } from '../../src/lib/safetensors.ts';
import { loadPack, packFile } from '../../src/packs/load-pack.ts';
import type { Pack } from '../../src/packs/pack.ts';
import { floatTensor } from '../../src/packs/pack-tensors.ts';
import { readFileBytes } from '../../src/packs/read-file-bytes.ts';

/** What training/parity.py wrote: the Python tokenizer's ids and PyTorch's float32 vectors with the dequantised weights. */
interface Fixture {
  readonly encoderRevision: string;
  readonly texts: readonly string[];
  readonly ids: readonly (readonly number[])[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Largest absolute difference allowed; coordinates of a unit vector in 384 dimensions are about 0.05. */
const TOLERANCE = 1e-4;

/** Plain TypeScript takes 20 s for all texts on an idle machine; a busy one gets its time, as nothing here is about speed. */
const PATIENCE_MS = 900_000;

let pack: Pack;
let fixture: Fixture;
let expected: Float32Array;

beforeAll(async () => {
  pack = await loadPack(here('../../models/encoder-en/pack.json'), readFileBytes);
  fixture = JSON.parse(await readFile(here('encoder-texts.json'), 'utf8')) as Fixture;
  const vectors = parseSafetensors(await readFileBytes(here('encoder-vectors.safetensors')));
  expected = floatTensor(vectors, 'vectors', [fixture.texts.length, 384]);
});

function largestDifference(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) return Infinity;
  // Written so that NaN counts as a difference.
  return actual.reduce((largest, value, i) => (Math.abs(value - wanted[i]!) <= largest ? largest : Math.abs(value - wanted[i]!)), 0);
}

async function differenceOn(device: Device, count: number): Promise<number> {
  const encoder = createDistilledEncoder(pack, device);
  const actual = await encoder.encode(fixture.texts.slice(0, count));
  encoder.dispose();
  device.dispose();
  return largestDifference(actual, expected.subarray(0, count * encoder.dimensions));
}

describe('the encoder against PyTorch', () => {
  it('has a fixture of 200 texts for the pack that ships', () => {
    expect(fixture.texts).toHaveLength(200);
    expect(fixture.encoderRevision).toBe(pack.manifest.revision);
  });

  it('gives the Python tokenizer’s ids for all texts', () => {
    const tokenizer = createTokenizer(new TextDecoder().decode(packFile(pack, 'vocab.txt')), 128);
    for (const [row, text] of fixture.texts.entries()) expect(tokenizer.tokenize(text), JSON.stringify(text)).toEqual(fixture.ids[row]);
  });

  it.each([
    ['reference', createReferenceDevice, 200],
    ['wasm f32-relaxed', () => createWasmDevice({ kernel: 'f32-relaxed' }), 200],
    ['wasm f32-simd', () => createWasmDevice({ kernel: 'f32-simd' }), 200],
    ['tfjs', async () => (await tf.setBackend('cpu'), createTfjsDevice(tf)), 12],
  ] as const)('gives PyTorch’s vectors on %s', async (_, createDevice, count) => {
    expect(await differenceOn(await createDevice(), count)).toBeLessThan(TOLERANCE);
  }, PATIENCE_MS);

  it('turns no vector far where it multiplies in int8', async () => {
    const encoder = createDistilledEncoder(pack, await createWasmDevice({ kernel: 'int8-relaxed' }));
    const actual = await encoder.encode(fixture.texts);
    const cosines = fixture.texts.map((_, row) => {
      let product = 0;
      for (let k = row * 384; k < (row + 1) * 384; k++) product += actual[k]! * expected[k]!;
      return product;
    });
    expect(cosines.reduce((sum, cosine) => sum + cosine) / cosines.length).toBeGreaterThan(0.999);
    expect(Math.min(...cosines)).toBeGreaterThan(0.998);
  }, PATIENCE_MS);

  it('passes its own golden vectors, and a device that is slightly wrong does not', async () => {
    const device = createReferenceDevice();
    const golden = encoderGoldenCase(pack);
    expect(await checkDevice(device, [golden], { timeoutMs: PATIENCE_MS })).toEqual({ ok: true });
    const wrong: Device = { ...device, run: async (program) => (await device.run(program)).map((values) => values.map((value) => value * 1.01)) };
    expect(await checkDevice(wrong, [golden], { timeoutMs: PATIENCE_MS })).toMatchObject({ ok: false, late: false });
  }, PATIENCE_MS);
});
