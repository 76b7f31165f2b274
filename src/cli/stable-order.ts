const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/**
 * Row numbers by key, rows of equal keys by the next key and then as they stand; null where they are in order already.
 * A radix sort, 16 bits at a time, since a comparison function is called hundreds of millions of times for ten million rows.
 * @param keys each [rows], no value below 0, the most important first.
 */
export function stableOrder(...keys: readonly Float64Array[]): Int32Array | null {
  if (isOrdered(keys)) return null;
  const rows = keys[0]!.length;
  let order = Int32Array.from({ length: rows }, (_, row) => row);
  let next = new Int32Array(rows);
  for (const key of keys.toReversed()) {
    // Doubles from 0 stand in the order of their bits.
    const words = new Uint32Array(key.buffer, key.byteOffset, rows * 2);
    for (let shift = 0; shift < 64; shift += DIGIT_BITS) {
      const word = shift >> 5;
      const down = shift & 31;
      const starts = new Uint32Array(DIGITS + 1);
      for (let row = 0; row < rows; row++) starts[((words[2 * row + word]! >>> down) & (DIGITS - 1)) + 1]!++;
      if (starts.includes(rows)) continue;
      for (let digit = 0; digit < DIGITS; digit++) starts[digit + 1]! += starts[digit]!;
      for (const row of order) next[starts[(words[2 * row + word]! >>> down) & (DIGITS - 1)]!++] = row;
      [order, next] = [next, order];
    }
  }
  return order;
}

function isOrdered(keys: readonly Float64Array[]): boolean {
  const rows = keys[0]!.length;
  for (let row = 1; row < rows; row++) {
    const key = keys.find((each) => each[row - 1] !== each[row]);
    if (key && key[row - 1]! > key[row]!) return false;
  }
  return true;
}
