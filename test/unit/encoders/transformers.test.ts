import { describe, expect, it } from 'vitest';
import { createTransformersEncoder, type TransformersEncoderOptions, type TransformersLibrary } from '../../../src/encoders/transformers.ts';

const REVISION = '0123456789abcdef';

interface Fake {
  readonly version?: string;
  readonly config?: object;
  /** What the model gives for texts; by default their lengths as vectors of two. */
  readonly run?: (texts: string[]) => { data: unknown; dims: number[] };
}

/** A library whose model notes what it is asked. */
function fakeLibrary({ version = '4.3.1', config = { shelfwise_revision: REVISION }, run }: Fake = {}) {
  const loads: object[] = [];
  const batches: string[][] = [];
  const library: TransformersLibrary = {
    env: { version },
    pipeline: (_task, model, options) => {
      loads.push({ model, ...options });
      const extract = (texts: string[]): Promise<{ data: unknown; dims: number[] }> => {
        batches.push(texts);
        return Promise.resolve(texts).then(run ?? ((all) => ({ data: Float32Array.from(all.flatMap(({ length }) => [length, -length])), dims: [all.length, 2] })));
      };
      return Promise.resolve(Object.assign(extract, { model: { config } }));
    },
  };
  return { loads, batches, create: (options: Partial<TransformersEncoderOptions> = {}) => createTransformersEncoder({ library: () => Promise.resolve(library), model: 'm', ...options }) };
}

describe('an encoder on transformers.js', () => {
  it('gives each text its own vector, however they were batched', async () => {
    const { create } = fakeLibrary();
    const encoder = await create();
    const texts = ['ccc', '', 'a', 'dddd', 'bb', 'eeeee'];
    expect(encoder).toMatchObject({ revision: REVISION, dimensions: 2 });
    expect([...(await encoder.encode(texts))]).toEqual(texts.flatMap(({ length }) => [length, -length]));
    expect(await encoder.encode([])).toHaveLength(0);
  });

  it('lets other work run between small batches of texts of like length', async () => {
    const { create, batches } = fakeLibrary();
    const encoder = await create();
    batches.length = 0;
    const seen: number[] = [];
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => seen.push(batches.length);
    const done = encoder.encode(Array.from({ length: 10 }, (_, i) => 'x'.repeat((i * 7) % 10)));
    port2.postMessage(null);
    await done;
    port1.close();
    expect(batches.map((batch) => batch.map(({ length }) => length))).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
    expect(seen[0]).toBeLessThan(3);
  });

  it('stops between batches when it is aborted', async () => {
    const { create, batches } = fakeLibrary();
    const encoder = await create();
    batches.length = 0;
    const controller = new AbortController();
    const encoding = encoder.encode(Array.from({ length: 50 }, () => 'text'), { signal: controller.signal });
    controller.abort();
    await expect(encoding).rejects.toMatchObject({ code: 'ABORTED' });
    expect(batches).toHaveLength(1);
  });

  it('cuts a text that no model reads to its end', async () => {
    const { create, batches } = fakeLibrary();
    await (await create()).encode(['x'.repeat(1_000_000)]);
    expect(batches.at(-1)![0]!.length).toBeLessThan(10_000);
  });

  it('reads accents and sigma as the exported weights were trained, and leaves texts of other models alone', async () => {
    const ours = fakeLibrary();
    await (await ours.create()).encode(['Café', 'ΣΟΦΟΣ', 'שָׁלוֹם']);
    expect(ours.batches.at(-1)).toEqual(['Cafe', 'σΟΦΟσ', 'שלום']);
    const other = fakeLibrary({ config: {} });
    await (await other.create({ revision: REVISION })).encode(['Café']);
    expect(other.batches.at(-1)).toEqual(['Café']);
  });

  it('asks version 2 and version 4 for the same file', async () => {
    const { create, loads } = fakeLibrary();
    await create();
    await create({ dtype: 'fp32', device: 'webgpu' });
    expect(loads).toEqual([
      { model: 'm', dtype: 'q8', quantized: true },
      { model: 'm', dtype: 'fp32', quantized: false, device: 'webgpu' },
    ]);
  });

  it.each([{ dtype: 'q4' }, { device: 'webgpu' }] as const)('refuses %o on version 2, which would load another file', async (options) => {
    await expect(fakeLibrary({ version: '2.17.2' }).create(options)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('takes the revision of other weights from the caller, and believes the model otherwise', async () => {
    expect(await fakeLibrary({ config: {} }).create({ revision: 'feedfeedfeedfeed' })).toMatchObject({ revision: 'feedfeedfeedfeed' });
    await expect(fakeLibrary({ config: {} }).create()).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(fakeLibrary().create({ revision: 'feedfeedfeedfeed' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('says what to do when the library, the model or its answer is not there', async () => {
    const missing = createTransformersEncoder({ library: () => Promise.reject(new TypeError('no such module')), model: 'm' });
    await expect(missing).rejects.toMatchObject({ code: 'PEER_MISSING', message: expect.stringContaining('install @huggingface/transformers') as string });
    const unreachable: TransformersLibrary = { env: {}, pipeline: () => Promise.reject(new Error('404')) };
    await expect(createTransformersEncoder({ library: () => Promise.resolve(unreachable), model: 'm' })).rejects.toMatchObject({ code: 'PACK_UNAVAILABLE' });
    const tokens = (texts: string[]) => ({ data: new Float32Array(texts.length * 6), dims: [texts.length, 3, 2] });
    await expect(fakeLibrary({ run: tokens }).create()).rejects.toMatchObject({ code: 'PACK_INVALID' });
  });

  it('reports a model that fails later as the encoder, not as a device', async () => {
    let calls = 0;
    const run = (texts: string[]) => {
      if (++calls > 1) throw new Error('out of memory');
      return { data: new Float32Array(texts.length * 2), dims: [texts.length, 2] };
    };
    const encoder = await fakeLibrary({ run }).create();
    await expect(encoder.encode(['a'])).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
  });
});
