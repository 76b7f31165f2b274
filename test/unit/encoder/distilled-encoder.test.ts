import { describe, expect, it, vi } from 'vitest';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { checkDevice } from '../../../src/compute/self-test.ts';
import { createDistilledEncoder, encoderGoldenCase } from '../../../src/encoder/distilled-encoder.ts';
import { createTinyEncoderPack, withGolden } from '../../helpers/tiny-encoder-pack.ts';

const titles = Array.from({ length: 60 }, (_, i) => ['white mug', 'heart', 'a b c a b c', 'mugs, white, heart', ''][i % 5]!);
const createEncoder = (): ReturnType<typeof createDistilledEncoder> => createDistilledEncoder(createTinyEncoderPack(), createReferenceDevice());
const row = (vectors: Float32Array, i: number): number[] => [...vectors.subarray(i * 8, (i + 1) * 8)];

describe('the distilled encoder', () => {
  it('gives unit vectors, also for an empty text', async () => {
    const vectors = await createEncoder().encode(['white mug', '']);
    for (const i of [0, 1]) expect(Math.hypot(...row(vectors, i))).toBeCloseTo(1, 5);
  });

  it('gives a text the same vector alone and among others, in the order asked for', async () => {
    const encoder = createEncoder();
    const together = await encoder.encode(titles);
    for (const [i, title] of titles.slice(0, 5).entries()) {
      const alone = await encoder.encode([title]);
      row(together, i).forEach((value, column) => expect(value).toBeCloseTo(alone[column]!, 6));
      expect(row(together, i)).toEqual(row(together, i + 5));
    }
  });

  it('gives nothing for nothing', async () => {
    expect(await createEncoder().encode([])).toHaveLength(0);
  });

  it('lets other tasks run between slices, and stops when it is aborted', async () => {
    const controller = new AbortController();
    const work = createEncoder().encode(titles, { signal: controller.signal });
    setTimeout(() => controller.abort(), 0);
    await expect(work).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('uploads the weights once for golden vectors and service, and frees what it uploaded', async () => {
    const pack = await withGolden(createTinyEncoderPack());
    const device = createReferenceDevice();
    const [upload, uploadRows, free] = [vi.spyOn(device, 'upload'), vi.spyOn(device, 'uploadRows'), vi.spyOn(device, 'free')];
    const uploads = (): number => upload.mock.calls.length + uploadRows.mock.calls.length;
    expect(await checkDevice(device, [encoderGoldenCase(pack)])).toEqual({ ok: true });
    const tensors = uploads();
    const served = createDistilledEncoder(pack, device);
    expect(uploads()).toBe(tensors);
    const another = createDistilledEncoder(pack, device);
    expect(uploads()).toBe(2 * tensors);
    served.dispose();
    expect(await another.encode(['mug'])).toHaveLength(8);
    another.dispose();
    expect(free).toHaveBeenCalledTimes(2 * tensors);
  });

  it('refuses a pack of another kind, a missing size and tensors that do not fit', () => {
    const device = createReferenceDevice();
    const { dims } = createTinyEncoderPack().manifest;
    const withDims = (changes: Record<string, number>): ReturnType<typeof createTinyEncoderPack> => createTinyEncoderPack({ dims: { ...dims, ...changes } });
    expect(() => createDistilledEncoder(createTinyEncoderPack({ kind: 'recommender' }), device)).toThrow('is a recommender pack');
    expect(() => createDistilledEncoder(withDims({ layers: 0.5 }), device)).toThrow('needs dims.layers');
    expect(() => createDistilledEncoder(withDims({ vocabulary: 17 }), device)).toThrow('16 tokens instead of 17');
    expect(() => createDistilledEncoder(withDims({ hidden: 6 }), device)).toThrow(/shape \[\d+, 8\] instead of \[\d+, 6\]|\[8, 4\] instead of \[6, 4\]|\[10, 8\] instead of \[10, 6\]/);
    expect(() => createDistilledEncoder(withDims({ heads: 3 }), device)).toThrow('do not divide into 3 heads');
    expect(() => createDistilledEncoder(withDims({ layers: 3 }), device)).toThrow(/Tensor layer\.2\.attention\.qkv\.weight[.a-z]* is missing/);
  });
});
