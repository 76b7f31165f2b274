/** Bytes before the header's text in a version 1.0 file: the magic, the version and the text's length. */
const PREFIX_BYTES = 10;

/**
 * A float32 matrix as a .npy file, version 1.0, C order (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 * @param values [rows · columns]
 */
export function writeNpy(values: Float32Array<ArrayBuffer>, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const fields = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  // Data begin at a multiple of 64, so that the file can be mapped; the text ends with a line feed.
  const headerBytes = Math.ceil((PREFIX_BYTES + fields.length + 1) / 64) * 64 - PREFIX_BYTES;
  const header = `${fields.padEnd(headerBytes - 1)}\n`;
  const file = new Uint8Array(PREFIX_BYTES + headerBytes + values.byteLength);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, headerBytes & 0xff, headerBytes >> 8]);
  file.set(new TextEncoder().encode(header), PREFIX_BYTES);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), PREFIX_BYTES + headerBytes);
  return file;
}
