const UNKNOWN = '[UNK]';

/** Begins a piece that goes on a word. */
const PREFIX = '##';

/** A longer word is unknown as a whole, as in BERT. */
const MAX_WORD_CHARACTERS = 100;

/**
 * WordPiece (Devlin et al. 2019) with an end in sight: no piece is sought that is longer than the vocabulary's longest, and
 * nothing is read beyond the tokens that count, so that hostile words cost no seconds.
 */
export class WordPiece {
  readonly ids: ReadonlyMap<string, number>;
  readonly #longest: number;
  readonly #maxTokens: number;

  /** @param tokens the vocabulary in the order of ids, `[UNK]` among them. */
  constructor(tokens: readonly string[], maxTokens: number) {
    this.ids = new Map(tokens.map((token, id) => [token, id]));
    this.#longest = tokens.reduce((longest, token) => Math.max(longest, token.length), 0);
    this.#maxTokens = maxTokens;
  }

  /** The pieces of each word; no more words are read once there are `maxTokens` pieces. */
  encode(words: readonly string[]): string[] {
    const pieces: string[] = [];
    for (const word of words) {
      if (pieces.length >= this.#maxTokens) break;
      pieces.push(...(this.#split(word) ?? [UNKNOWN]));
    }
    return pieces;
  }

  /** A word's longest known pieces from the left; undefined where some part of it is unknown. */
  #split(word: string): string[] | undefined {
    // The limit counts characters, `length` counts UTF-16 units.
    if (word.length > MAX_WORD_CHARACTERS && Array.from(word).length > MAX_WORD_CHARACTERS) return undefined;
    const pieces: string[] = [];
    let start = 0;
    while (start < word.length) {
      const prefix = start > 0 ? PREFIX : '';
      let end = Math.min(word.length, start + this.#longest);
      while (end > start && !this.ids.has(prefix + word.slice(start, end))) end--;
      if (end === start) return undefined;
      pieces.push(prefix + word.slice(start, end));
      start = end;
    }
    return pieces;
  }
}
