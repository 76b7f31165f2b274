import { BertNormalizer, BertPreTokenizer, WordPiece as LibraryWordPiece } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer, wordsOf } from '../../../src/encoder/tokenizer.ts';
import { WordPiece } from '../../../src/encoder/word-piece.ts';
import { TINY_VOCABULARY } from '../../helpers/tiny-encoder-pack.ts';

const tokenizer = createTokenizer(TINY_VOCABULARY.join('\n'), 10);

/** Any UTF-16 units, half surrogate pairs among them; many times faster to make than fast-check's `binary` strings. */
const anyText = fc.array(fc.nat(0xffff), { maxLength: 200 }).map((units) => String.fromCharCode(...units));

/** The library leaves Chinese characters beyond the basic plane in their words. */
const apart = (text: string): string => text.replace(/[\u{20000}-\u{2fa1f}]/gu, (character) => (isChinese(character.codePointAt(0)!) ? ` ${character} ` : character));
const isChinese = (code: number): boolean =>
  code <= 0x2a6df || (code >= 0x2a700 && code <= 0x2b81f) || (code >= 0x2b920 && code <= 0x2ceaf) || code >= 0x2f800;

/** The tokens' names, without [CLS] and [SEP]. */
const pieces = (text: string): (string | undefined)[] => tokenizer.tokenize(text).slice(1, -1).map((id) => TINY_VOCABULARY[id]);

describe('the WordPiece tokenizer', () => {
  it.each([
    ['', []],
    ['White MUGS', ['white', 'mug', '##s']],
    ['whîte,mug', ['white', ',', 'mug']],
    ['unheard of', ['[UNK]', '[UNK]']],
    ['mug\u0000\u200b heart', ['mug', 'heart']],
    ['mug\ud800', ['mug']],
    ['a𠀋b', ['a', '[UNK]', 'b']],
    ['[MASK] mug', ['[MASK]', 'mug']],
  ])('%j becomes %j', (text, expected) => {
    expect(pieces(text)).toEqual(expected);
  });

  it('reads vocabularies with either line ending', () => {
    expect(createTokenizer(`${TINY_VOCABULARY.join('\r\n')}\r\n`, 10).vocabularySize).toBe(TINY_VOCABULARY.length);
  });

  it('keeps [SEP] when it cuts', () => {
    expect(tokenizer.tokenize('a '.repeat(50))).toEqual([2, ...new Array<number>(8).fill(9), 3]);
  });

  it('gives 2 to 10 known ids for any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.tokenize(text);
        return ids.length >= 2 && ids.length <= 10 && ids.every((id) => id >= 0 && id < TINY_VOCABULARY.length);
      }),
    );
  });

  it('splits as the library does, only sooner', () => {
    const config = { type: 'WordPiece' as const, unk_token: '[UNK]', continuing_subword_prefix: '##', vocab: Object.fromEntries(TINY_VOCABULARY.map((token, id) => [token, id])) };
    const [ours, theirs] = [new WordPiece(TINY_VOCABULARY, Infinity), new LibraryWordPiece(config)];
    const word = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 's', 'mug', 'white', 'é', '😀'), maxLength: 120 }), anyText);
    fc.assert(fc.property(fc.array(word), (words) => ours.encode(words).join(' ') === theirs.encode(words).join(' ')));
  });

  it('reads every character as the library does', () => {
    const library = { normalizer: new BertNormalizer({ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true }), words: new BertPreTokenizer() };
    // Each character between letters: it parts them, vanishes, or is a letter of the word or a mark beside it.
    const wanted = (text: string): string[] => library.words.pre_tokenize(library.normalizer.normalize(text)).filter((word) => word !== '');
    const different: string[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      const text = `a${String.fromCharCode(code)}b`;
      // Where the library differs from the tokenizer that the model was trained with: JavaScript's final sigma.
      if (code !== 0x3a3 && wordsOf(text).join(' ') !== wanted(text).join(' ')) different.push(code.toString(16));
    }
    expect(different).toEqual([]);
    const anyUnits = anyText.map((text) => text.replaceAll('\u03a3', ''));
    fc.assert(fc.property(anyUnits, (text) => wordsOf(text).join(' ') === wanted(apart(text)).join(' ')));
  });

  it('refuses a vocabulary without a special token', () => {
    expect(() => createTokenizer('[PAD]\n[UNK]\n[CLS]\n[MASK]', 10)).toThrow('The vocabulary has no [SEP].');
  });
});
