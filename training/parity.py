"""What the TypeScript encoder must reproduce: token ids by the Python tokenizer and vectors by PyTorch, for 200 texts.

    python parity.py --pack ../models/encoder-en --titles product_titles.tsv.gz --out ../test/parity
"""

import argparse
import json
import random
from pathlib import Path

import torch
from safetensors.numpy import save

import texts
from shipped import embed, load_shipped
from student import MAX_POSITIONS
from vocabulary import tokenise

TEXTS = 200

WRITTEN = [
    # Nothing to read.
    '', ' ', '   ', '\t', '\n\r\n', '\u00a0', '\u200b', '\ufeff', '\u2028', '\x00', '\x01\x02\x1f', '\x7f', '\x85', ' ' * 5_000, '\u3000 \u2003',
    # Only punctuation and symbols.
    '!', '...', '?!?!?!', '---', '***', '"\'`', '()[]{}<>', '@#$%^&*_+=|\\/~', '—–…«»„“”‚‘’', '¡¿', '€£¥₹₿', '©®™', '±×÷≈≠≤≥', '½ ¼ ¾ ²³',
    '#' * 5_000, '،؛؟', '、。「」', '।', '‽⁉',
    # Accents, composed and decomposed.
    'Café crème brûlée', 'Cafe\u0301 cre\u0300me', 'naïve façade', 'Ångström Øresund ÆON', 'İstanbul ısı', 'Žluťoučký kůň úpěl ďábelské ódy',
    'Größe: weiß, STRASSE, ẞ', 'ÑANDÚ señor', 'Việt Nam phở', 'łódź Łęczna', 'ŒUVRE œuvre', 'ﬁne ﬂask ﬀ', 'Ⅳ ⅷ №5', 'ℌ𝔬𝔩𝔢 𝐁𝐨𝐥𝐝 𝒮cript', 'ｆｕｌｌ ｗｉｄｔｈ １２３', 'a\u0300\u0301\u0302\u0303 stacked',
    # Emoji.
    '☕', '🎁', 'gift 🎁 box', '👩‍👩‍👧‍👦 family mug', '🏳️‍🌈 flag', '🇬🇧 tea towel', '👍🏽 thumbs', '❤️ heart t-light', 'mug☕️with🎄tree', '1️⃣ 2️⃣',
    # Chinese, Japanese, Korean; the last of each line is outside the basic plane.
    '北欧风格台灯', '陶瓷茶杯 white 500ml', '𠮷野家 𠀋', '日本語のタイトル', 'コーヒーカップ ２個セット', 'カﾞラス', '한국어 머그컵', '도자기 cup 세트', '中文' * 2_500,
    # Cyrillic, Greek, Arabic, Hebrew, Indic, Thai, others.
    'Чайная кружка', 'ЁЖИК Йод', 'Українська ґанок їжак', 'ΟΔΟΣ ΣΟΦΟΣ', 'ὈΔΥΣΣΕΎΣ', 'Κούπα καφέ', 'فنجان قهوة', 'العربيّة', 'كوب 500 مل', 'כוס קפה', 'שָׁלוֹם', 'चाय का कप', 'কাপ', 'ถ้วยกาแฟ', 'ფინჯანი', 'Բաժակ', 'አማርኛ', 'ᏣᎳᎩ', 'Ǆ ǅ ǆ',
    # Control, format and private characters, odd spaces.
    'tab\tnew\nline\rreturn', 'zero\u200bwidth', 'soft\u00adhyphen', 'no\u00a0break', 'bell\x07', 'nul\x00l', 'private\ue000use', 'replacement\ufffdmark', 'bidi\u202eabc', 'joiner a\u200db', 'line\u2028separator', 'ideographic\u3000space', 'variation\ufe0f', 'tag\U000e0041',
    # Long texts and long words.
    'a' * 100, 'a' * 101, 'b' * 5_000, 'unbelievable ' * 400, 'x1' * 2_500, 'internationalisation' * 4, 'mug, ' * 1_000, '1234567890' * 20,
    # Shop titles that break tokenizers, and the tokenizer's own tokens.
    '[CLS] mug [SEP]', '[MASK]', '[UNK] [PAD]', '[cls]', '##ing', "men's T-SHIRT's", 'don\'t won\'t', '3/4" x 1.5\' bolt', '12V/2A 5-pack (assorted)', 'A.B.C. U.S.A.', 'C++ & C#', 'iPhone13ProMax', 'USB-C→HDMI', 'e-mail: a@b.co', 'https://shop.example/p?id=1&x=2', '50%OFF!!!', '£2.55', '$1,299.00', '2 x 4', 'AAA/AA', '0', '٣٤٥', '१२३',
    'WHITE HANGING HEART T-LIGHT HOLDER', 'white hanging heart t-light holder', ' White  hanging   heart ',
]  # fmt: skip


def parity_texts(titles: Path) -> list[str]:
    """The written texts, filled up with seeded titles of Online Retail, whose licence allows them here."""
    shop = sorted(texts.product_titles(titles)['online_retail'])
    return WRITTEN + random.Random(5).sample(shop, TEXTS - len(WRITTEN))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, required=True)
    parser.add_argument('--titles', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = parity_texts(options.titles)
    ids = tokenise(rows, MAX_POSITIONS)
    vectors = embed(load_shipped(options.pack), ids, batch=1)
    revision = json.loads((options.pack / 'pack.json').read_text())['revision']
    fixture = {'encoderRevision': revision, 'texts': rows, 'ids': ids}
    (options.out / 'encoder-texts.json').write_text(json.dumps(fixture, separators=(',', ':')) + '\n')
    (options.out / 'encoder-vectors.safetensors').write_bytes(save({'vectors': vectors}))
    print(f'{len(rows)} texts, {sum(map(len, ids))} tokens')


if __name__ == '__main__':
    main()
