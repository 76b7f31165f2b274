import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runEncode } from '../../../src/cli/encode.ts';
import { runInspect } from '../../../src/cli/inspect.ts';
import { createReferenceDevice } from '../../../src/compute/reference/device.ts';
import { createDistilledEncoder } from '../../../src/encoder/distilled-encoder.ts';
import { writePack } from '../../../src/packs/write-pack.ts';
import { createTinyEncoderPack, withGolden } from '../../helpers/tiny-encoder-pack.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-cli-'));
  for (const [name, defect] of [['whole', 0], ['wrong', 0.1]] as const) {
    const { manifest, files } = await withGolden(createTinyEncoderPack(), defect);
    await writePack(join(folder, name), manifest, files);
  }
});

afterAll(() => rm(folder, { recursive: true }));

describe('shelfwise encode', () => {
  it('writes one float32 row for each line, in order', async () => {
    const [input, output] = [join(folder, 'in.txt'), join(folder, 'out.npy')];
    await writeFile(input, 'white mug\r\n\nheart\n');
    await runEncode({ pack: join(folder, 'whole'), in: input, out: output });
    const file = await readFile(output);
    expect(file.subarray(0, 128).toString('latin1')).toContain("'shape': (3, 8)");
    const expected = await createDistilledEncoder(createTinyEncoderPack(), createReferenceDevice()).encode(['white mug', '', 'heart']);
    const rows = new Float32Array(new Uint8Array(file.subarray(128)).buffer);
    expect(rows).toHaveLength(24);
    rows.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  });

  it('refuses a pack whose golden vectors no device gives', async () => {
    await writeFile(join(folder, 'in.txt'), 'mug');
    const work = runEncode({ pack: join(folder, 'wrong'), in: join(folder, 'in.txt'), out: join(folder, 'none.npy') });
    await expect(work).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
  });
});

describe('shelfwise inspect', () => {
  it('prints what a pack is, checks it, and writes the same as JSON', async () => {
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const report = await runInspect({ pack: join(folder, 'whole', 'pack.json'), json: join(folder, 'report.json') });
    const printed = print.mock.calls.map(([chunk]) => String(chunk)).join('');
    print.mockRestore();
    expect(printed).toMatch(/^tiny: encoder pack, revision [0-9a-f]{16}/);
    expect(report.golden.map(({ device, ok }) => [device, ok])).toEqual([['wasm', true], ['reference', true]]);
    expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toEqual(report);
  });

  it('fails for wrong golden vectors, after it said so', async () => {
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await expect(runInspect({ pack: join(folder, 'wrong') })).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    expect(print.mock.calls.map(([chunk]) => String(chunk)).join('')).toMatch(/wasm, encode: gave .* instead of/);
    print.mockRestore();
  });

  it('fails for a pack that is not there', async () => {
    await expect(runInspect({ pack: join(folder, 'absent') })).rejects.toMatchObject({ code: 'PACK_UNAVAILABLE' });
  });
});
