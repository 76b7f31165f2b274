/** Unit bag-of-words vectors weighted by rarity, for texts before an encoder pack exists. [texts · words] */
export function wordVectors(texts: readonly string[], vocabularyOf: readonly string[]): { readonly vectors: Float32Array; readonly dimensions: number } {
  const documents = new Map<string, number>();
  for (const text of vocabularyOf) for (const word of new Set(words(text))) documents.set(word, (documents.get(word) ?? 0) + 1);
  const columns = new Map([...documents.keys()].map((word, column) => [word, column]));
  const dimensions = columns.size;
  const vectors = new Float32Array(texts.length * dimensions);
  texts.forEach((text, row) => {
    for (const word of words(text)) {
      const column = columns.get(word);
      if (column !== undefined) vectors[row * dimensions + column] = Math.log(vocabularyOf.length / documents.get(word)!);
    }
    const norm = Math.sqrt(vectors.subarray(row * dimensions, (row + 1) * dimensions).reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) vectors[i]! /= norm;
  });
  return { vectors, dimensions };
}

function words(text: string): string[] {
  return text.toLowerCase().split(/[^a-z0-9'-]+/).filter((word) => word.length > 1).map((word) => word.replace(/(?<=..)e?s$/, ''));
}
