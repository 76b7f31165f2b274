import { Tokenizer } from '@huggingface/tokenizers';
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

/**
 * The WordPiece tokenizer of BERT uncased (Devlin et al. 2019) over a vocab.txt, one token per line in the order of ids.
 * Only the vocabulary travels: the rest of tokenizer.json is written here, and the gzipped pack is 80 kB smaller.
 * @throws RecommenderError `PACK_INVALID` when a special token is missing.
 */
export function createTokenizer(vocabulary: string, maxTokens: number): WordPieceTokenizer {
  const tokens = vocabulary.replace(/\r?\n$/, '').split(/\r?\n/);
  const model = new BoundedWordPiece(tokens, maxTokens);
  const special = (token: string): { content: string; id: number; special: true } => {
    const id = model.tokens_to_ids.get(token);
    if (id === undefined) throw new RecommenderError('PACK_INVALID', `The vocabulary has no ${token}.`);
    return { content: token, id, special: true };
  };
  const [cls, sep] = [special('[CLS]'), special('[SEP]')];
  const tokenizer = new Tokenizer(
    {
      added_tokens: [special('[PAD]'), special('[UNK]'), cls, sep, special('[MASK]')],
      normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      // Special tokens are added after the cut, below: the library does not truncate.
      post_processor: null,
      decoder: null,
      model: model.config,
    },
    {},
  );
  tokenizer.model = model;
  return {
    vocabularySize: tokens.length,
    tokenize(text) {
      const pieces = tokenizer.encode(asPythonReads(text.slice(0, MAX_CHARACTERS))).ids;
      return [cls.id, ...pieces.slice(0, maxTokens - 2), sep.id];
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
