const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** `tokenizer.json` of BERT uncased over a vocabulary in the order of ids, as Hugging Face's fast tokenizers read it. */
export function tokenizerJson(vocabulary: readonly string[], maxTokens: number): object {
  const ids = new Map(vocabulary.map((token, id) => [token, id]));
  const added = (content: string): object => ({ id: ids.get(content), content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
  const special = (id: string, type = 0): object => ({ SpecialToken: { id, type_id: type } });
  const sequence = (id: string, type = 0): object => ({ Sequence: { id, type_id: type } });
  const one = [special('[CLS]'), sequence('A'), special('[SEP]')];
  const named = (id: string): [string, object] => [id, { id, ids: [ids.get(id)], tokens: [id] }];
  return {
    version: '1.0',
    truncation: { direction: 'Right', max_length: maxTokens, strategy: 'LongestFirst', stride: 0 },
    padding: null,
    added_tokens: SPECIAL_TOKENS.map(added),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: one,
      pair: [...one, sequence('B', 1), special('[SEP]', 1)],
      special_tokens: Object.fromEntries([named('[CLS]'), named('[SEP]')]),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: Object.fromEntries(ids) },
  };
}

/** `tokenizer_config.json` beside it. */
export function tokenizerConfig(maxTokens: number): object {
  const names = Object.fromEntries(SPECIAL_TOKENS.map((token) => [`${token.slice(1, -1).toLowerCase()}_token`, token]));
  return { tokenizer_class: 'BertTokenizer', model_max_length: maxTokens, do_lower_case: true, tokenize_chinese_chars: true, strip_accents: null, ...names };
}
