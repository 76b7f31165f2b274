import { RecommenderError } from '../errors.ts';
import { WordPiece } from './word-piece.ts';

/** Text to token ids as BERT reads them: `[CLS]`, word pieces, `[SEP]`. */
export interface WordPieceTokenizer {
  readonly vocabularySize: number;
  /** Never more than the `maxTokens` it was created with; an empty text gives [CLS] [SEP]. */
  tokenize(text: string): number[];
}

/** Longer texts are cut before they are read: 128 tokens rarely need more than 1,000 characters, and time stays bounded. */
const MAX_CHARACTERS = 20_000;

/** What nobody sees, but for the white space among it. */
const INVISIBLE = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\ufffd]/gu;

/** Chinese characters stand alone (BERT's `tokenize_chinese_chars`); the gap before 2b920 is Hugging Face's Rust tokenizer's. */
const CHINESE = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

const ACCENT = /\p{Mn}/gu;

/** Words, and punctuation marks one by one; ASCII's symbols are marks, too. */
const WORD_OR_MARK = /[^\s\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu;

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/** Special tokens that a text spells out, kept by `split`. */
const SPELT_OUT = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;

/**
 * The WordPiece tokenizer of BERT uncased (Devlin et al. 2019) over a vocab.txt, one token per line in the order of ids.
 * Only the vocabulary travels, since what else a tokenizer.json says is written here. It reads as Hugging Face's Rust
 * tokenizer does, which the model was trained with.
 * @throws RecommenderError `PACK_INVALID` when a special token is missing.
 */
export function createTokenizer(vocabulary: string, maxTokens: number): WordPieceTokenizer {
  const tokens = vocabulary.replace(/\r?\n$/, '').split(/\r?\n/);
  const model = new WordPiece(tokens, maxTokens);
  const { ids } = model;
  for (const token of SPECIAL_TOKENS) {
    if (!ids.has(token)) throw new RecommenderError('PACK_INVALID', `The vocabulary has no ${token}.`);
  }

  /** Every second part is a special token. */
  const piecesOf = (part: string, place: number): string[] => (place % 2 === 1 ? [part] : model.encode(wordsOf(part)));

  return {
    vocabularySize: tokens.length,
    tokenize(text) {
      const pieces = text.slice(0, MAX_CHARACTERS).split(SPELT_OUT).flatMap(piecesOf).slice(0, maxTokens - 2);
      return ['[CLS]', ...pieces, '[SEP]'].map((piece) => ids.get(piece)!);
    },
  };
}

/** A text's words and marks, lower-case and without accents. */
export function wordsOf(text: string): readonly string[] {
  const plain = text
    .replace(INVISIBLE, '')
    .replace(CHINESE, ' $& ')
    // JavaScript lower-cases a final capital sigma to ς; Rust goes character by character.
    .replaceAll('\u03a3', '\u03c3')
    .toLowerCase()
    .normalize('NFD')
    .replace(ACCENT, '');
  return plain.match(WORD_OR_MARK) ?? [];
}
