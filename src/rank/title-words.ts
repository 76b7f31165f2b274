/** A title's words with their weights, of unit length together; empty for a title without words. */
export type TitleWords = ReadonlyMap<string, number>;

/** Words that stand in titles of every kind; the encoder is English, and so are they. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(['a', 'an', 'and', 'at', 'by', 'for', 'from', 'in', 'of', 'on', 'the', 'to', 'with']);
const FUNCTION_WEIGHT = 0.1;
const WORDS = /[\p{L}\p{N}]+/gu;
const MOST_TITLES = 4_000; // kept at a time: some pages' worth of candidates

/** Each word once: a shop's titles repeat none for emphasis. */
export function titleWords(title: string): TitleWords {
  const found = new Set(title.toLowerCase().match(WORDS));
  const weights = Array.from(found, (word) => (FUNCTION_WORDS.has(word) ? FUNCTION_WEIGHT : 1));
  const length = Math.hypot(...weights) || 1;
  return new Map(Array.from(found, (word, at) => [word, weights[at]! / length]));
}

/** Cosine of two titles' words, 0 to 1. */
export function wordCosine(a: TitleWords, b: TitleWords): number {
  const [fewer, more] = a.size <= b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [word, weight] of fewer) sum += weight * (more.get(word) ?? 0);
  return sum;
}

/** Reads titles into words, and those of the last few pages once only. */
export function createTitleReader(): (title: string) => TitleWords {
  const known = new Map<string, TitleWords>();
  return (title) => {
    const words = known.get(title) ?? titleWords(title);
    if (known.size >= MOST_TITLES) known.clear();
    known.set(title, words);
    return words;
  };
}
