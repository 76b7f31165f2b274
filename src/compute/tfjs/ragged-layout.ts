/** How a ragged batch of texts maps to a padded one, since tfjs has dense tensors only. */
export interface RaggedLayout {
  readonly texts: number;
  readonly longest: number;
  /** False where the texts are of one length: the padded batch is the ragged one. */
  readonly isPadded: boolean;
  /** [texts · longest]: the row of each padded place; padding points at row 0. */
  readonly rows: Int32Array;
  /** [texts · longest]: 1 where a place is padding. */
  readonly padding: Float32Array;
  /** [tokens]: the padded place of each row. */
  readonly unpad: Int32Array;
}

/** The layout of texts with these numbers of tokens. */
export function createRaggedLayout(lengths: readonly number[]): RaggedLayout {
  const texts = lengths.length;
  const longest = Math.max(1, ...lengths);
  const rows = new Int32Array(texts * longest);
  const padding = new Float32Array(texts * longest).fill(1);
  const unpad: number[] = [];
  for (const [text, length] of lengths.entries()) {
    for (let token = 0; token < length; token++) {
      const place = text * longest + token;
      rows[place] = unpad.length;
      padding[place] = 0;
      unpad.push(place);
    }
  }
  return { texts, longest, isPadded: unpad.length < rows.length, rows, padding, unpad: Int32Array.from(unpad) };
}
