"""How closely the weights as they ship follow the teacher: on held-out titles, and on sources that were never trained on.

    python evaluate.py --pack ../models/encoder-en --data build/ [--json build/evaluation.json]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from shipped import embed, load_shipped
from static_tier import bags_of, load_static
from teacher import MAX_TOKENS
from vocabulary import tokenise

NEIGHBOURS = 10
BARS = {'held_out': (0.95, 0.76), 'never seen, mean': (0.91, 0.64)}  # mean cosine and ten-neighbour overlap: the least that is published


def neighbour_overlap(student: np.ndarray, teacher: np.ndarray) -> float:
    """Share of each text's ten nearest texts by the teacher that are also the ten nearest by the student."""

    def nearest(vectors: np.ndarray) -> np.ndarray:
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        return np.argpartition(-similarity, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]

    pairs = zip(nearest(student), nearest(teacher), strict=True)
    return float(np.mean([len(np.intersect1d(ours, theirs)) / NEIGHBOURS for ours, theirs in pairs]))


def compare(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    cosine = (student * teacher).sum(1) / np.linalg.norm(teacher, axis=1)
    return {
        'texts': len(student),
        'cosine': round(float(cosine.mean()), 4),
        'cosine_p10': round(float(np.quantile(cosine, 0.1)), 4),
        'neighbours': round(neighbour_overlap(student, teacher), 4),
    }


def evaluate(pack: Path, data: Path) -> dict[str, dict[str, float]]:
    """One row per set of texts, the held-out titles first, then the mean over never-seen sources; the static tier's figures beside."""
    model, static = load_shipped(pack), load_static(pack)
    rows = {}
    for name in ['held_out', *sorted(path.stem for path in data.glob('never_seen.*.npy'))]:
        texts = json.loads((data / f'{name}.json').read_text())['texts']
        teacher = np.load(data / f'{name}.npy').astype(np.float32)
        rows[name] = compare(embed(model, tokenise(texts, MAX_TOKENS)), teacher)
        with torch.inference_mode():
            figures = compare(static(bags_of(texts)).numpy(), teacher)
        rows[name] |= {'static_cosine': figures['cosine'], 'static_neighbours': figures['neighbours']}
    sources = [row for name, row in rows.items() if name != 'held_out']
    mean = {figure: round(float(np.mean([row[figure] for row in sources])), 4) for figure in sources[0]}
    return rows | {'never seen, mean': mean | {'texts': sum(row['texts'] for row in sources)}}


def below_bars(rows: dict[str, dict[str, float]]) -> list[str]:
    """What is missing to publish."""
    return [
        f'{name}: {figure} {rows[name][figure]:.4f} < {bar}'
        for name, bars in BARS.items()
        for figure, bar in zip(('cosine', 'neighbours'), bars, strict=True)
        if rows[name][figure] < bar
    ]


def markdown(rows: dict[str, dict[str, float]]) -> str:
    lines = [
        '| texts | n | mean cosine | 10th percentile | ten-neighbour overlap | static tier: cosine | overlap |',
        '|---|---|---|---|---|---|---|',
    ]
    for name, row in rows.items():
        title = name.replace('never_seen.', 'never seen: ').replace('held_out', 'held-out titles of the training sources')
        figures = ' | '.join(f'{row[figure]:.3f}' for figure in ('cosine', 'cosine_p10', 'neighbours', 'static_cosine', 'static_neighbours'))
        lines.append(f'| {title} | {row["texts"]} | {figures} |')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, required=True)
    parser.add_argument('--data', type=Path, default=Path('build'))
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = evaluate(options.pack, options.data)
    print(markdown(rows))
    for missing in below_bars(rows):
        print(f'BELOW THE BAR: {missing}')
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + '\n')


if __name__ == '__main__':
    main()
