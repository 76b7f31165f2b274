import type { Random } from '../../src/lib/random.ts';

/** How a title is distorted: what other shops and shoppers would have typed. */
export interface TitleNoiseOptions {
  /** Chance of a typing error in each word of four letters or more (Damerau 1964: one letter too few, too many, another one, or two swapped). */
  readonly typos: number;
  /** Chance that each word is left out, as long as one stays. */
  readonly drop: number;
  /** Chance that each word with a synonym is replaced by it. */
  readonly synonyms: number;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const LEAST_LETTERS = 4; // a shorter word with a typing error is another word

/** A noisy variant of a title; `synonymsOf` gives a lower-case word's synonyms, none by default. */
export function distortTitle(title: string, random: Random, { typos, drop, synonyms }: TitleNoiseOptions, synonymsOf: (word: string) => readonly string[] = () => []): string {
  const words = title.split(/\s+/).filter((word) => word !== '');
  const kept = words.filter(() => random.next() >= drop);
  return (kept.length > 0 ? kept : words.slice(0, 1))
    .map((word) => {
      const alternatives = synonymsOf(word.toLowerCase());
      if (alternatives.length > 0 && random.next() < synonyms) return alternatives[random.integer(alternatives.length)]!;
      return word.length >= LEAST_LETTERS && random.next() < typos ? mistype(word, random) : word;
    })
    .join(' ');
}

/** The items' text vectors, [items, dimensions], with a share of them replaced by one of the noisy ones, each [items, dimensions] as well. */
export function replaceVectors(vectors: Float32Array, noisy: readonly Float32Array[], dimensions: number, share: number, random: Random): Float32Array {
  const mixed = vectors.slice();
  for (let start = 0; start < mixed.length; start += dimensions) {
    if (random.next() >= share) continue;
    const variant = noisy[random.integer(noisy.length)]!;
    mixed.set(variant.subarray(start, start + dimensions), start);
  }
  return mixed;
}

function mistype(word: string, random: Random): string {
  const letters = Array.from(word);
  const at = random.integer(letters.length - 1); // of two neighbours the first
  const letter = LETTERS[random.integer(LETTERS.length)]!;
  switch (random.integer(4)) {
    case 0:
      letters.splice(at, 1);
      break;
    case 1:
      letters.splice(at, 0, letter);
      break;
    case 2:
      letters[at] = letter;
      break;
    default:
      letters.splice(at, 2, letters[at + 1]!, letters[at]!);
  }
  return letters.join('');
}

/**
 * Words that share a title's neighbourhood: a catalogue's own synonyms, by their vectors. Two words are synonyms where the cosine of their
 * vectors is at least `least` (default .75); `vectors` is [words, dimensions], of unit length.
 */
export function synonymsByVector(words: readonly string[], vectors: Float32Array, dimensions: number, { least = 0.75, most = 5 } = {}): (word: string) => readonly string[] {
  const index = new Map(words.map((word, at) => [word, at]));
  const known = new Map<string, readonly string[]>();
  const search = (word: string): readonly string[] => {
    const at = index.get(word);
    if (at === undefined) return [];
    const found: { readonly word: string; readonly cosine: number }[] = [];
    words.forEach((other, row) => {
      if (row === at) return;
      let cosine = 0;
      for (let k = 0; k < dimensions; k++) cosine += vectors[at * dimensions + k]! * vectors[row * dimensions + k]!;
      if (cosine >= least) found.push({ word: other, cosine });
    });
    return found.sort((a, b) => b.cosine - a.cosine).slice(0, most).map(({ word: other }) => other);
  };
  return (word) => {
    const synonyms = known.get(word) ?? search(word);
    known.set(word, synonyms);
    return synonyms;
  };
}
