"""Re-ranking without any training on behaviour: 20 candidates for each user of Amazon Games 2018, student and static tier beside the teacher.

The user is what the last titles say; the candidates are the target and the first 19 others of the random file, in a seeded order.

    python zero_shot.py --pack ../models/encoder-en --games GAMES    (GAMES has items.csv.gz, interactions.csv.gz, candidates/random.tsv.gz)
"""

import argparse
import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

import teacher
from shipped import embed, load_shipped
from static_tier import bags_of, load_static
from student import MAX_POSITIONS
from vocabulary import tokenise

CANDIDATES = 20
TEMPERATURES = (0.5, 0.25, 0.1, 0.05)
BEST = 10  # NDCG is cut here
RESAMPLES = 1_000

Pooling = Callable[[np.ndarray, np.ndarray], np.ndarray]


def plain(history: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Similarity to the mean of the last five titles."""
    return candidates @ history[-5:].mean(0)


def recency(history: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Similarity to the mean of the last ten titles, the newest counting most."""
    recent = history[-10:]
    return candidates @ (0.85 ** np.arange(len(recent))[::-1] @ recent)


def soft_max(temperature: float) -> Pooling:
    """Soft-max over the last ten titles' similarities, the newest counting most: what `textAffinity` is (src/rank/features.ts)."""

    def pooling(history: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        similarity = candidates @ history[-10:].T  # [candidates, history]
        return np.exp(similarity / temperature) @ 0.85 ** np.arange(similarity.shape[1])[::-1]

    return pooling


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def queries(games: Path, row_of: dict[str, int]) -> list[tuple[list[int], list[int], int]]:
    """(history, candidates, place of the target) of every user, as rows of the catalogue."""
    sequences: dict[str, list[tuple[int, str]]] = {}
    for row in rows_of(games / 'interactions.csv.gz'):
        sequences.setdefault(row['user'], []).append((int(row['pos']), row['item']))
    rng = np.random.default_rng(0)
    found = []
    with gzip.open(games / 'candidates/random.tsv.gz', 'rt') as file:
        for line in file:
            user, listed = line.rstrip('\n').split('\t')
            *history, target = [item for _, item in sorted(sequences[user])]
            others = [item for item in listed.split() if item != target and item in row_of][: CANDIDATES - 1]
            candidates = [row_of[item] for item in [*others, target]]
            order = rng.permutation(len(candidates))
            found.append(([row_of[item] for item in history], [candidates[place] for place in order], int(np.argmax(order))))
    return found


def ndcg(vectors: np.ndarray, asked: list[tuple[list[int], list[int], int]], pooling: Pooling) -> np.ndarray:
    """NDCG@10 of each query; ties share the mean of their places."""
    gains = []
    for history, candidates, target in asked:
        scores = pooling(vectors[history], vectors[candidates])
        place = (scores > scores[target]).sum() + ((scores == scores[target]).sum() - 1) / 2
        gains.append(1 / np.log2(place + 2) if place < BEST else 0.0)
    return np.array(gains)


def centred(vectors: np.ndarray) -> np.ndarray:
    moved = vectors - vectors.mean(0)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, default=Path('../models/encoder-en'))
    parser.add_argument('--games', type=Path, required=True)
    options = parser.parse_args()
    catalogue = rows_of(options.games / 'items.csv.gz')
    titles = [row['title'] for row in catalogue]
    asked = queries(options.games, {row['item']: place for place, row in enumerate(catalogue)})

    tokenizer = AutoTokenizer.from_pretrained(teacher.teacher_folder())
    model = AutoModel.from_pretrained(teacher.teacher_folder()).eval()
    of_teacher = teacher.embed(model, tokenizer(titles, truncation=True, max_length=MAX_POSITIONS)['input_ids'])
    with torch.inference_mode():
        of_static = load_static(options.pack)(bags_of(titles)).numpy()
    vectors = {'teacher': of_teacher, 'encoder-en': embed(load_shipped(options.pack), tokenise(titles, MAX_POSITIONS)), 'static tier': of_static}

    rng = np.random.default_rng(1)
    samples = rng.integers(0, len(asked), (RESAMPLES, len(asked)))
    print(f'{len(asked)} users, {CANDIDATES} candidates, NDCG@{BEST} (loss against the teacher with its 95 % interval)\n')
    print('| pooling | ' + ' | '.join(vectors) + ' |\n' + '|---' * (len(vectors) + 1) + '|')
    for name, pooling, transform in (
        ('mean of the last 5', plain, lambda x: x),
        ('the same, centred on the catalogue', plain, centred),
        ('centred, mean of the last 10, recency-weighted', recency, centred),
        *((f'centred, soft-max of the last 10, temperature {temperature}', soft_max(temperature), centred) for temperature in TEMPERATURES),
        ('not centred, soft-max of the last 10, temperature 0.1', soft_max(0.1), lambda x: x),
    ):
        gains = {who: ndcg(transform(rows), asked, pooling) for who, rows in vectors.items()}
        best = gains['teacher']
        cells = []
        for who, values in gains.items():
            losses = 1 - values[samples].mean(1) / best[samples].mean(1)
            low, high = np.quantile(losses, [0.025, 0.975])
            cells.append(f'{values.mean():.4f}' + ('' if who == 'teacher' else f' ({1 - values.mean() / best.mean():+.1%} [{low:+.1%}, {high:+.1%}])'))
        print(f'| {name} | {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    main()
