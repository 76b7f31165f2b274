import { RecommenderError } from '../errors.ts';

/**
 * SHA-256 as 64 hex digits, through WebCrypto (pages, workers and Node alike).
 * @throws RecommenderError `PACK_UNAVAILABLE` where WebCrypto is missing: a page served over plain http.
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The DOM's types say that it is always there; insecure contexts do not have it.
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  if (!subtle) throw new RecommenderError('PACK_UNAVAILABLE', 'Packs are verified with WebCrypto, which needs https.');
  // WebCrypto refuses shared memory; slice() copies out of it.
  const unshared = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
  const digest = new Uint8Array(await subtle.digest('SHA-256', unshared));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A 64-bit key of a text as 16 hex digits, synchronous and fast; not for security.
 * Two multiplicative lanes over UTF-16 units, crossed by MurmurHash3's finaliser (A. Appleby, 2011):
 * 10,000 texts collide with a probability of about 3e-12.
 */
export function contentKey(text: string): string {
  let low = 0x9e3779b1;
  let high = 0x85ebca77;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
    // Multiplication only carries upwards; the rotation brings high bits back down.
    low = (low << 13) | (low >>> 19);
    high = (high << 17) | (high >>> 15);
  }
  low = mixBits(low ^ text.length);
  high = mixBits(high ^ low);
  low = mixBits(low ^ high);
  return toHex(high) + toHex(low);
}

/**
 * The same of columns, each with its length: a key of a log of millions of rows takes a fraction of a second and no memory.
 * Numbers count as their bytes: 1 as float32 is another column than 1 as int32.
 */
export function columnsKey(columns: readonly (string | ArrayBufferView)[]): string {
  let low = 0x9e3779b1;
  let high = 0x85ebca77;
  const add = (word: number): void => {
    low = Math.imul(low ^ word, 0x9e3779b1);
    high = Math.imul(high ^ word, 0x5f356495);
    low = (low << 13) | (low >>> 19);
    high = (high << 17) | (high >>> 15);
  };
  for (const column of columns) {
    if (typeof column === 'string') {
      add(column.length);
      for (let i = 0; i < column.length; i++) add(column.charCodeAt(i));
      continue;
    }
    const { buffer, byteOffset, byteLength } = column;
    const view = new DataView(buffer, byteOffset, byteLength);
    add(byteLength);
    let at = 0;
    for (; at + 4 <= byteLength; at += 4) add(view.getInt32(at, true));
    for (; at < byteLength; at++) add(view.getUint8(at));
  }
  low = mixBits(low ^ columns.length);
  high = mixBits(high ^ low);
  low = mixBits(low ^ high);
  return toHex(high) + toHex(low);
}

function mixBits(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function toHex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
