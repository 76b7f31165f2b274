import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/cli/crc32c.ts';
import { logCurves, openScalarLog } from '../../../src/cli/tensorboard.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shelfwise-events-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** The records of a TFRecord file, checksums checked. */
function readRecords(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(unmask(file.readUInt32LE(at + 8))).toBe(crc32c(file.subarray(at, at + 8)));
    expect(unmask(file.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Fields of a protocol buffer message by number, the last of each. */
function readMessage(message: Buffer): Map<number, Buffer | number> {
  const fields = new Map<number, Buffer | number>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]!;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const type = key % 8;
    const number = Math.floor(key / 8);
    if (type === 0) fields.set(number, varint());
    if (type === 1) fields.set(number, message.readDoubleLE((at += 8) - 8));
    if (type === 5) fields.set(number, message.readFloatLE((at += 4) - 4));
    if (type === 2) {
      const length = varint();
      fields.set(number, message.subarray(at, (at += length)));
    }
  }
  return fields;
}

describe('TensorBoard event files', () => {
  test('CRC-32C gives the values of RFC 3720, appendix B.4', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
  });

  test('hold the version and then each scalar with its step; what is not finite is left out', async () => {
    const log = openScalarLog(join(folder, 'runs'));
    log.write(300, { 'interest/loss': 2.5 });
    logCurves(log, [
      {
        model: 'head',
        lossName: 'loss',
        metricName: 'NDCG',
        epochs: [
          { epoch: 1, phase: 'train', loss: 4, metric: 0.25 },
          { epoch: 2, phase: 'refit', loss: 3, metric: null },
        ],
      },
    ]);
    const [name = ''] = await readdir(join(folder, 'runs'));
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const events = readRecords(await readFile(join(folder, 'runs', name))).map(readMessage);
    expect(events[0]!.get(3)!.toString()).toBe('brain.Event:2');
    const scalars = events.slice(1).map((event) => {
      const scalar = readMessage(readMessage(event.get(5) as Buffer).get(1) as Buffer);
      return [scalar.get(1)!.toString(), event.get(2), scalar.get(2)];
    });
    expect(scalars).toEqual([
      ['interest/loss', 300, 2.5],
      ['head/loss', 1, 4],
      ['head/NDCG', 1, 0.25],
      ['head/loss', 2, 3],
    ]);
    expect(events[1]!.get(1)).toBeGreaterThan(1.7e9);
  });
});
