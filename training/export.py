"""A checkpoint as the pack that ships: 4-bit weights, static tier, vocabulary, golden vectors, pack.json, model card and notice.

    python export.py --data build/ --out ../models/encoder-en
"""

import argparse
import gzip
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save

from evaluate import below_bars, evaluate, markdown
from model_card import NOTICE, TRAINING_DATA, model_card
from shipped import WORDS, embed, load_shipped, stored_files
from static_tier import STATIC, StaticTier, tensors_of
from student import EMBEDDING, MAX_POSITIONS, Student
from vocabulary import kept_tokens, tokenise

MAX_WIRE_BYTES = 5_000_000
GOLDEN_TEXTS = (
    'White hanging heart t-light holder',
    'CAFÉ au lait mug, 12 oz (set of 4)',
    '',
    'Lampe de bureau à LED — 北欧风 ☕ with a dimmer, three colour temperatures, a clamp and a cable of two metres',
)


def golden(model: Student) -> dict[str, np.ndarray]:
    """Token ids side by side, their lengths, and the vectors that every device must give within its tolerance."""
    ids = tokenise(list(GOLDEN_TEXTS), MAX_POSITIONS)
    return {
        'ids': np.concatenate(ids).astype(np.int32),
        'lengths': np.array([len(row) for row in ids], np.int32),
        'vectors': embed(model, ids, batch=1),
    }


def dims_of(model: Student) -> dict[str, int]:
    config = model.bert.config
    return {
        'vocabulary': len(kept_tokens()),
        'embedding': EMBEDDING,
        'hidden': config.hidden_size,
        'layers': config.num_hidden_layers,
        'heads': config.num_attention_heads,
        'intermediate': config.intermediate_size,
        'positions': MAX_POSITIONS,
    }


def manifest(pack: Path, names: list[str], dims: dict[str, int], measured: dict[str, float]) -> dict:
    """pack.json, as src/packs/pack.ts describes it."""
    contents = {name: (pack / name).read_bytes() for name in names}
    hashes = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    return {
        'schemaVersion': 1,
        'kind': 'encoder',
        'name': 'encoder-en',
        'revision': hashlib.sha256(''.join(hashes).encode()).hexdigest()[:16],
        'created': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
        'files': [{'name': name, 'bytes': len(contents[name]), 'sha256': digest} for name, digest in zip(names, hashes, strict=True)],
        'dims': dims,
        'measured': measured,
        'trainingData': TRAINING_DATA,
        'licence': 'Apache-2.0',
    }


def wire_bytes(folder: Path, names: list[str]) -> int:
    return sum(len(gzip.compress((folder / name).read_bytes(), 9, mtime=0)) for name in names)


def measured_figures(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, row in rows.items():
        figures |= {f'{name}.{figure}': row[figure] for figure in ('cosine', 'neighbours', 'static_cosine', 'static_neighbours')}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, default=Path('build'), help='what teacher.py, distil.py and static_tier.py wrote')
    parser.add_argument('--out', type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for old in options.out.glob('*'):
        old.unlink()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = torch.load(options.data / 'four-bit.pt', map_location='cpu')

    files = stored_files(checkpoint['model'])
    table = checkpoint['model']['bert.embeddings.word_embeddings.table.weight']
    static = StaticTier(table)
    static.load_state_dict(torch.load(options.data / 'static.pt'))
    files[STATIC] = tensors_of(static)
    for name, tensors in files.items():
        (options.out / name).write_bytes(save(tensors))
    (options.out / 'vocab.txt').write_text('\n'.join(kept_tokens()) + '\n', encoding='utf-8')
    (options.out / 'golden.safetensors').write_bytes(save(golden(load_shipped(options.out))))
    rows = evaluate(options.out, options.data)
    if missing := below_bars(rows):
        raise SystemExit('\n'.join([markdown(rows), *missing]))

    names = ['vocab.txt', *files, 'golden.safetensors']
    sizes = {'wireBytes': wire_bytes(options.out, names), 'staticWireBytes': wire_bytes(options.out, ['vocab.txt', WORDS, STATIC])}
    if sizes['wireBytes'] > MAX_WIRE_BYTES:
        raise SystemExit(f'{sizes["wireBytes"]} bytes on the wire, {MAX_WIRE_BYTES} are allowed')
    measured = {**sizes, 'steps': checkpoint['step'], **measured_figures(rows)}
    description = manifest(options.out, names, dims_of(load_shipped(options.out)), measured)
    (options.out / 'README.md').write_text(model_card(description, markdown(rows)))
    (options.out / 'NOTICE').write_text(NOTICE)
    (options.out / 'pack.json').write_text(json.dumps(description, indent=2, ensure_ascii=False) + '\n')
    print(f'revision {description["revision"]}, {sizes["wireBytes"]} bytes gzipped, {checkpoint["step"]} steps')
    print(markdown(rows))


if __name__ == '__main__':
    main()
