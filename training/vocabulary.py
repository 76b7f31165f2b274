"""The student's vocabulary: the teacher's without its [unused] tokens and without scripts that an English shop never needs."""

import unicodedata
from functools import cache
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

from teacher import teacher_folder

SPECIAL = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
SCRIPTS = ('LATIN', 'GREEK')  # Greek for units and models: μm, Ω, α


@cache
def kept_ids() -> list[int]:
    """Ids of the teacher's tokens that the student keeps, in the teacher's order."""
    tokens = (Path(teacher_folder()) / 'vocab.txt').read_text(encoding='utf-8').splitlines()
    return [row for row, token in enumerate(tokens) if token in SPECIAL or is_kept(token)]


def is_kept(token: str) -> bool:
    if token.startswith('[unused'):
        return False
    return all(not c.isalpha() or unicodedata.name(c, '').startswith(SCRIPTS) for c in token.removeprefix('##'))


@cache
def kept_tokens() -> list[str]:
    tokens = (Path(teacher_folder()) / 'vocab.txt').read_text(encoding='utf-8').splitlines()
    return [tokens[row] for row in kept_ids()]


def tokenise(texts: list[str], longest: int) -> list[list[int]]:
    """Token ids of each text, [CLS] and [SEP] included, at most `longest`."""
    tokenizer = BertWordPieceTokenizer({token: row for row, token in enumerate(kept_tokens())}, lowercase=True)
    tokenizer.enable_truncation(longest)
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]
