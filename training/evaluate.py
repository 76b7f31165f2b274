"""How closely the weights as they ship follow the teacher: on held-out titles, and on sources that were never trained on.

    python evaluate.py --pack ../models/encoder-en --data build/ [--json build/evaluation.json]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from shipped import embed, load_shipped
from student import Student

NEIGHBOURS = 10
BARS = {'held_out': 0.94, 'never_seen': 0.88}  # mean cosine: the first release's bars


def neighbour_overlap(student: np.ndarray, teacher: np.ndarray) -> float:
    """Share of each text's ten nearest texts by the teacher that are also the ten nearest by the student."""

    def nearest(vectors: np.ndarray) -> np.ndarray:
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        return np.argpartition(-similarity, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]

    pairs = zip(nearest(student), nearest(teacher), strict=True)
    return float(np.mean([len(np.intersect1d(ours, theirs)) / NEIGHBOURS for ours, theirs in pairs]))


def compare(model: Student, folder: Path, name: str) -> dict[str, float]:
    ids = json.loads((folder / f'{name}.json').read_text())['ids']
    teacher = np.load(folder / f'{name}.npy').astype(np.float32)
    student = embed(model, ids)
    cosine = (student * teacher).sum(1) / np.linalg.norm(teacher, axis=1)
    return {
        'texts': len(ids),
        'cosine': round(float(cosine.mean()), 4),
        'cosine_p10': round(float(np.quantile(cosine, 0.1)), 4),
        'neighbours': round(neighbour_overlap(student, teacher), 4),
    }


def evaluate(model: Student, data: Path) -> dict[str, dict[str, float]]:
    """One row per set of texts, the held-out titles first."""
    names = sorted(path.stem for path in data.glob('never_seen.*.npy'))
    return {name: compare(model, data, name) for name in ['held_out', *names]}


def bar_of(name: str) -> float:
    return BARS[name.split('.')[0]]


def markdown(rows: dict[str, dict[str, float]]) -> str:
    lines = ['| texts | n | mean cosine | bar | 10th percentile | ten-neighbour overlap |', '|---|---|---|---|---|---|']
    for name, row in rows.items():
        title = name.replace('never_seen.', 'never seen: ').replace('held_out', 'held-out titles of the training sources')
        lines.append(f'| {title} | {row["texts"]} | {row["cosine"]:.3f} | {bar_of(name):.2f} | {row["cosine_p10"]:.3f} | {row["neighbours"]:.3f} |')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, required=True)
    parser.add_argument('--data', type=Path, default=Path('build'))
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = evaluate(load_shipped(options.pack), options.data)
    print(markdown(rows))
    for name, row in rows.items():
        if row['cosine'] < bar_of(name):
            print(f'BELOW THE BAR: {name} {row["cosine"]:.4f} < {bar_of(name)}')
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + '\n')


if __name__ == '__main__':
    main()
