/** A title's words, as numbers; titles of one call of a reader can be compared. */
export interface TitleWords {
  /** Ascending, each word once: a shop's titles repeat none for emphasis. */
  readonly numbers: readonly number[];
  /** Euclidean length of the words' weights; 0 for a title without words. */
  readonly length: number;
}

/** Words that stand in titles of every kind; the encoder is English, and so are they. They have the first numbers. */
const FUNCTION_WORDS = ['a', 'an', 'and', 'at', 'by', 'for', 'from', 'in', 'of', 'on', 'the', 'to', 'with'];
const FUNCTION_WEIGHT = 0.1; // where other words count 1
const FUNCTION_SQUARE = FUNCTION_WEIGHT ** 2;
const WORDS = /[\p{L}\p{N}]+/gu;
const MOST_TITLES = 4_000; // kept at a time: some pages' worth of candidates

/** Cosine of two titles' words, 0 to 1. */
export function wordCosine(a: TitleWords, b: TitleWords): number {
  let square = 0;
  for (let i = 0, k = 0; i < a.numbers.length && k < b.numbers.length; ) {
    const difference = a.numbers[i]! - b.numbers[k]!;
    if (difference === 0) square += squareOf(a.numbers[i]!);
    if (difference <= 0) i++;
    if (difference >= 0) k++;
  }
  return square && square / (a.length * b.length);
}

/** Reads titles into words, and those of the last few pages once only, as sorted numbers: a map for each title would be several times the memory. */
export function createTitleReader(): (titles: readonly string[]) => TitleWords[] {
  const known = new Map<string, TitleWords>();
  let numbers = new Map<string, number>();

  function numberOf(word: string): number {
    const number = numbers.get(word) ?? numbers.size;
    numbers.set(word, number);
    return number;
  }

  function read(title: string): TitleWords {
    const found = (title.toLowerCase().match(WORDS) ?? []).map(numberOf).sort((a, b) => a - b);
    const unique = found.filter((number, at) => number !== found[at - 1]);
    const words = { numbers: unique, length: Math.sqrt(unique.reduce((sum, number) => sum + squareOf(number), 0)) };
    known.set(title, words);
    return words;
  }

  return (titles) => {
    // Before the titles are read, since words' numbers are forgotten with them.
    if (known.size >= MOST_TITLES) known.clear();
    if (known.size === 0) numbers = new Map(FUNCTION_WORDS.map((word, number) => [word, number]));
    return titles.map((title) => known.get(title) ?? read(title));
  };
}

/** A word's weight squared. */
function squareOf(number: number): number {
  return number < FUNCTION_WORDS.length ? FUNCTION_SQUARE : 1;
}
