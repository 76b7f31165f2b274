/** Text in, unit vectors out. The built-in one is the distilled BERT; a shop may plug in its own in the worker. */
export interface ItemEncoder {
  /** Vectors of one revision are comparable; vectors of two never are. */
  readonly revision: string;
  readonly dimensions: number;
  /** texts -> [texts · dimensions], unit rows; an empty text gives a valid vector too. */
  encode(texts: readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array>;
}
