import { RecommenderError } from '../errors.ts';
import { parseJson } from './parse-json.ts';

/**
 * One tensor of a safetensors file; `values` is row-major and a view of the file where its alignment allows.
 * `F16` keeps the raw half-precision bits.
 */
export type SafeTensor =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'F16'; readonly shape: readonly number[]; readonly values: Uint16Array }
  | { readonly dtype: 'I8'; readonly shape: readonly number[]; readonly values: Int8Array }
  | { readonly dtype: 'U8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  | { readonly dtype: 'U16'; readonly shape: readonly number[]; readonly values: Uint16Array }
  | { readonly dtype: 'I32'; readonly shape: readonly number[]; readonly values: Int32Array };

export type TensorType = SafeTensor['dtype'];

/** Tensors by name, in the file's order. */
export type SafeTensors = ReadonlyMap<string, SafeTensor>;

interface ElementArray {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SafeTensor['values'];
}

/** What holds each type's elements. */
const ARRAYS: Readonly<Record<TensorType, ElementArray>> = { F32: Float32Array, I32: Int32Array, F16: Uint16Array, U16: Uint16Array, I8: Int8Array, U8: Uint8Array };

/** Bytes before the header: its length, as a little-endian unsigned 64-bit integer. */
const PREFIX_BYTES = 8;

/** The format's own bound on its header. */
const MAX_HEADER_BYTES = 100_000_000;

interface TensorEntry {
  readonly name: string;
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Parses a safetensors file (https://github.com/huggingface/safetensors, "Format"): every byte of the data
 * belongs to exactly one tensor.
 * @throws RecommenderError `PACK_INVALID`, saying what is wrong, for anything else.
 */
export function parseSafetensors(bytes: Uint8Array): SafeTensors {
  const { header, dataStart } = readHeader(bytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => checkEntry(name, entry));
  checkCoverage(entries, bytes.length - dataStart);
  return new Map(entries.map((entry) => [entry.name, viewTensor(bytes, dataStart, entry)]));
}

/** Writes tensors in the safetensors format, wide elements first so that each is aligned. */
export function writeSafetensors(tensors: Iterable<readonly [string, SafeTensor]>): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort(([, a], [, b]) => ARRAYS[b.dtype].BYTES_PER_ELEMENT - ARRAYS[a.dtype].BYTES_PER_ELEMENT);
  const header: [string, object][] = [];
  let dataBytes = 0;
  for (const [name, { dtype, shape, values }] of ordered) {
    if (values.length !== elementsOf(shape)) throw invalid(`tensor ${name} has ${values.length} values for shape [${shape.join(', ')}]`);
    header.push([name, { dtype, shape, data_offsets: [dataBytes, dataBytes + values.byteLength] }]);
    dataBytes += values.byteLength;
  }
  // `fromEntries` defines own properties, so that even a tensor called `__proto__` is written.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(PREFIX_BYTES + headerBytes + dataBytes);
  new DataView(file.buffer).setUint32(0, headerBytes, true);
  file.fill(0x20, PREFIX_BYTES, PREFIX_BYTES + headerBytes);
  file.set(json, PREFIX_BYTES);
  let offset = PREFIX_BYTES + headerBytes;
  for (const [, { values }] of ordered) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < PREFIX_BYTES) throw invalid(`the file has ${bytes.length} bytes, too few for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const headerBytes = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > bytes.length - PREFIX_BYTES) {
    throw invalid(`the header claims ${headerBytes} bytes, the file has ${bytes.length}`);
  }
  const dataStart = PREFIX_BYTES + headerBytes;
  const header = parseJson(bytes.subarray(PREFIX_BYTES, dataStart), (cause) => invalid('the header is not JSON', cause));
  if (!isRecord(header)) throw invalid('the header is not an object');
  return { header, dataStart };
}

function checkEntry(name: string, entry: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (isTensorType(dtype) && isSizes(shape) && isSizes(offsets) && offsets.length === 2) {
    const [begin, end] = offsets as [number, number];
    if (end - begin === elementsOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT) return { name, dtype, shape, begin, end };
  }
  throw invalid(`tensor ${name} cannot be ${JSON.stringify(entry)}`);
}

function checkCoverage(entries: readonly TensorEntry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw invalid(`tensor ${name} begins at byte ${begin} instead of ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) throw invalid(`the tensors need ${covered} bytes, the file has ${dataBytes}`);
}

function viewTensor(bytes: Uint8Array, dataStart: number, { dtype, shape, begin, end }: TensorEntry): SafeTensor {
  const elements = ARRAYS[dtype];
  const start = bytes.byteOffset + dataStart + begin;
  const isAligned = start % elements.BYTES_PER_ELEMENT === 0;
  const buffer = isAligned ? bytes.buffer : bytes.slice(dataStart + begin, dataStart + end).buffer;
  return { dtype, shape, values: new elements(buffer, isAligned ? start : 0, elementsOf(shape)) } as SafeTensor;
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(detail: string, cause?: unknown): RecommenderError {
  return new RecommenderError('PACK_INVALID', `Safetensors: ${detail}.`, cause === undefined ? undefined : { cause });
}
