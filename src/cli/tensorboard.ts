import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from './crc32c.ts';
import type { TrainingCurve } from './report/report-data.ts';

/** Scalars by epoch, as TensorBoard reads them. */
export interface ScalarLog {
  /** Appends one event for each finite scalar; `tag` as TensorBoard shows it, for instance `interest/loss`. */
  write(step: number, scalars: Readonly<Record<string, number>>): void;
}

/**
 * Opens a TensorBoard event file in `directory`, which is made where it is missing; a resumed training writes a further file, as TensorBoard expects.
 * Records are framed as TFRecord (tensorflow/core/lib/io/record_writer.cc) and hold `Event` messages (tensorflow/core/util/event.proto).
 */
export function openScalarLog(directory: string): ScalarLog {
  mkdirSync(directory, { recursive: true });
  const seconds = Math.floor(Date.now() / 1_000);
  const path = join(directory, `events.out.tfevents.${String(seconds).padStart(10, '0')}.shelfwise.${process.pid}`);
  const append = (...event: Buffer[]): void => appendFileSync(path, frame(Buffer.concat([double(1, Date.now() / 1_000), ...event])));
  append(bytes(3, Buffer.from('brain.Event:2'))); // file_version, the first record of every event file
  return {
    write(step, scalars) {
      for (const [tag, value] of Object.entries(scalars)) {
        if (!Number.isFinite(value)) continue;
        const scalar = Buffer.concat([bytes(1, Buffer.from(tag)), float(2, value)]); // Summary.Value: tag, simple_value
        append(Buffer.concat([key(2, 0), varint(step)]), bytes(5, bytes(1, scalar))); // step, summary
      }
    },
  };
}

/** Writes curves as `model/loss` and `model/metric` by epoch; `newestOnly` while a training runs. */
export function logCurves(log: ScalarLog, curves: readonly TrainingCurve[], { newestOnly = false } = {}): void {
  for (const { model, lossName, metricName, epochs } of curves) {
    for (const { epoch, loss, metric } of newestOnly ? epochs.slice(-1) : epochs) {
      log.write(epoch, { [`${model}/${lossName}`]: loss, ...(metricName !== null && { [`${model}/${metricName}`]: metric ?? NaN }) });
    }
  }
}

/** Length, its checksum, data, their checksum. */
function frame(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedChecksum(length), data, maskedChecksum(data)]);
}

/** Masked so that a checksum of data that holds checksums stays a good one (tensorflow/core/lib/hash/crc32c.h). */
function maskedChecksum(data: Uint8Array): Buffer {
  const crc = crc32c(data);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}

// Protocol buffers, "Encoding": a field is its number and wire type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes), then its value.
const key = (field: number, wireType: number): Buffer => varint(field * 8 + wireType);

function varint(value: number): Buffer {
  const groups: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) groups.push((rest % 128) + 128);
  return Buffer.from([...groups, rest]);
}

const bytes = (field: number, value: Buffer): Buffer => Buffer.concat([key(field, 2), varint(value.length), value]);

function double(field: number, value: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), encoded]);
}

function float(field: number, value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeFloatLE(value);
  return Buffer.concat([key(field, 5), encoded]);
}
