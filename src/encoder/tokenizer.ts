import { BertNormalizer, BertPreTokenizer } from '@huggingface/tokenizers';
import { RecommenderError } from '../errors.ts';
import { BoundedWordPiece } from './bounded-word-piece.ts';

/** Text to token ids as BERT reads them: `[CLS]`, word pieces, `[SEP]`. */
export interface WordPieceTokenizer {
  readonly vocabularySize: number;
  /** Never more than the `maxTokens` it was created with; an empty text gives [CLS] [SEP]. */
  tokenize(text: string): number[];
}

/** Longer texts are cut before they are read: 128 tokens rarely need more than 1,000 characters, and time stays bounded. */
const MAX_CHARACTERS = 20_000;

/**
 * Chinese characters outside the basic plane, which stand alone like the others (BERT's `tokenize_chinese_chars`);
 * the gap before 2b920 is the Rust tokenizer's.
 */
const ASTRAL_CHINESE = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/** Special tokens that a text spells out, kept by `split`. */
const SPELT_OUT = /(\[(?:PAD|UNK|CLS|SEP|MASK)\])/;

/**
 * The WordPiece tokenizer of BERT uncased (Devlin et al. 2019) over a vocab.txt, one token per line in the order of ids.
 * Only the vocabulary travels, since what else a tokenizer.json says is written here; and of the library only the parts
 * that BERT uses, since its `Tokenizer` brings those of all other models along.
 * @throws RecommenderError `PACK_INVALID` when a special token is missing.
 */
export function createTokenizer(vocabulary: string, maxTokens: number): WordPieceTokenizer {
  const tokens = vocabulary.replace(/\r?\n$/, '').split(/\r?\n/);
  const model = new BoundedWordPiece(tokens, maxTokens);
  const normalizer = new BertNormalizer({ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true });
  const preTokenizer = new BertPreTokenizer();
  const ids = model.tokens_to_ids;
  for (const token of SPECIAL_TOKENS) {
    if (!ids.has(token)) throw new RecommenderError('PACK_INVALID', `The vocabulary has no ${token}.`);
  }
  const idOf = (token: string): number => ids.get(token) ?? model.unk_token_id!;

  /** Every second part is a special token. */
  const piecesOf = (part: string, place: number): string[] =>
    place % 2 === 1 ? [part] : model.encode(preTokenizer.pre_tokenize(normalizer.normalize(part)));

  return {
    vocabularySize: tokens.length,
    tokenize(text) {
      const parts = asPythonReads(text.slice(0, MAX_CHARACTERS)).split(SPELT_OUT);
      const pieces = parts.flatMap(piecesOf).slice(0, maxTokens - 2);
      return [idOf('[CLS]'), ...pieces.map(idOf), idOf('[SEP]')];
    },
  };
}

/** Irons out where the library differs from Hugging Face's Rust tokenizer, which the model was trained with. */
function asPythonReads(text: string): string {
  return (
    text
      .replace(ASTRAL_CHINESE, ' $& ')
      // JavaScript lower-cases a final capital sigma to ς; Rust goes character by character.
      .replaceAll('\u03a3', '\u03c3')
  );
}
