const DIMENSIONS = 512;

/** Unit bag-of-words vectors weighted by rarity, words hashed to signed columns, for texts before an encoder pack exists. [texts · dimensions] */
export function wordVectors(texts: readonly string[], vocabularyOf: readonly string[]): { readonly vectors: Float32Array; readonly dimensions: number } {
  const documents = new Map<string, number>();
  for (const text of vocabularyOf) for (const word of new Set(words(text))) documents.set(word, (documents.get(word) ?? 0) + 1);
  const columns = new Map([...documents.keys()].map((word, order) => [word, [order % DIMENSIONS, (order * 7919 + 13) % DIMENSIONS] as const]));
  const vectors = new Float32Array(texts.length * DIMENSIONS);
  texts.forEach((text, row) => {
    for (const word of words(text)) {
      const weight = Math.log(vocabularyOf.length / (documents.get(word) ?? Infinity));
      const column = columns.get(word);
      if (column === undefined) continue;
      vectors[row * DIMENSIONS + column[0]]! += weight;
      vectors[row * DIMENSIONS + column[1]]! -= weight;
    }
    const norm = Math.sqrt(vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS).reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let i = row * DIMENSIONS; i < (row + 1) * DIMENSIONS; i++) vectors[i]! /= norm;
  });
  return { vectors, dimensions: DIMENSIONS };
}

function words(text: string): string[] {
  return text.toLowerCase().split(/[^a-z0-9'-]+/).filter((word) => word.length > 1).map((word) => word.replace(/(?<=..)e?s$/, ''));
}
