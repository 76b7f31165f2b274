import { RecommenderError } from '../errors.ts';

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

/** Bytes of one element. */
const ELEMENT_BYTES: Readonly<Record<TensorType, number>> = { F32: 4, I32: 4, F16: 2, U16: 2, I8: 1, U8: 1 };

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
  const ordered = [...tensors].sort(([, a], [, b]) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype]);
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
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, dataStart)));
  } catch (error) {
    throw invalid('the header is not JSON', error);
  }
  if (!isRecord(header)) throw invalid('the header is not an object');
  return { header, dataStart };
}

function checkEntry(name: string, entry: unknown): TensorEntry {
  if (!isRecord(entry)) throw invalid(`tensor ${name} has no description`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isTensorType(dtype)) throw invalid(`tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isSizes(shape)) throw invalid(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) throw invalid(`tensor ${name} has the offsets ${JSON.stringify(offsets)}`);
  const [begin, end] = offsets as [number, number];
  if (end - begin !== elementsOf(shape) * ELEMENT_BYTES[dtype]) {
    throw invalid(`tensor ${name} has ${end - begin} bytes for ${dtype} [${shape.join(', ')}]`);
  }
  return { name, dtype, shape, begin, end };
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
  const start = bytes.byteOffset + dataStart + begin;
  const aligned = start % ELEMENT_BYTES[dtype] === 0;
  const buffer = aligned ? bytes.buffer : bytes.slice(dataStart + begin, dataStart + end).buffer;
  const offset = aligned ? start : 0;
  const length = elementsOf(shape);
  switch (dtype) {
    case 'F32':
      return { dtype, shape, values: new Float32Array(buffer, offset, length) };
    case 'I32':
      return { dtype, shape, values: new Int32Array(buffer, offset, length) };
    case 'F16':
    case 'U16':
      return { dtype, shape, values: new Uint16Array(buffer, offset, length) };
    case 'I8':
      return { dtype, shape, values: new Int8Array(buffer, offset, length) };
    case 'U8':
      return { dtype, shape, values: new Uint8Array(buffer, offset, length) };
  }
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && Object.hasOwn(ELEMENT_BYTES, value);
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
