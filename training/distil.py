"""Distils the student from the teacher's vectors; checkpoints often, and goes on from where it stopped.

    python distil.py --data build/ --steps 3200                                        # float32 weights: student.pt
    python distil.py --data build/ --steps 7000 --four-bit build/student.pt            # goes on with weights as they ship: four-bit.pt
"""

import argparse
import json
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils import parametrize

from student import Student, pad
from teacher import MAX_TOKENS
from vocabulary import tokenise

BATCH = 64
POOL = 32  # batches are cut from a pool of this many, sorted by length: little is padded, order stays random
PEAK_LEARNING_RATE = 4e-4
WARM_UP_STEPS = 300
TITLE_SHARE = 0.35  # of each pool; titles are a sixth of the texts and what a shop sends
CHECKPOINT_SECONDS = 240


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then linear decay to almost nothing."""
    return PEAK_LEARNING_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.01, 1 - step / steps)


def distillation_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Each vector close to the teacher's, and the batch's similarities too (relational distillation, Park et al. 2019)."""
    alike = (1 - (student * teacher).sum(1)).mean()
    relations = ((student @ student.T - teacher @ teacher.T) ** 2).mean()
    return 4 * alike + 20 * relations


def batches(ids: list[list[int]], titles: int, rng: random.Random):
    """Endless batches of row numbers of similar length; the first `titles` rows are product titles."""
    while True:
        count = int(BATCH * POOL * TITLE_SHARE)
        pool = [rng.randrange(titles) for _ in range(count)] + [rng.randrange(titles, len(ids)) for _ in range(BATCH * POOL - count)]
        pool.sort(key=lambda row: len(ids[row]))
        chunks = [pool[start : start + BATCH] for start in range(0, len(pool), BATCH)]
        rng.shuffle(chunks)
        yield from chunks


def cosine_to_teacher(model: Student, folder: Path, name: str) -> float:
    ids = tokenise(json.loads((folder / f'{name}.json').read_text())['texts'], MAX_TOKENS)
    vectors = np.load(folder / f'{name}.npy').astype(np.float32)
    total = 0.0
    with torch.inference_mode(), parametrize.cached():
        for start in range(0, len(ids), 250):
            total += float((model(*pad(ids[start : start + 250])) * torch.from_numpy(vectors[start : start + 250])).sum())
    return total / len(ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, default=Path('build'))
    parser.add_argument('--steps', type=int, default=14_000)
    parser.add_argument('--four-bit', type=Path, metavar='START', help='round weights to 4 bits while training on from this checkpoint')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    ids = tokenise(json.loads((options.data / 'train.json').read_text())['texts'], MAX_TOKENS)
    vectors = np.load(options.data / 'train.npy', mmap_mode='r')
    titles = json.loads((options.data / 'counts.json').read_text())['titles']
    model = Student(four_bit=options.four_bit is not None)
    if options.four_bit:
        model.load_weights(torch.load(options.four_bit)['model'])
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=0.01)
    first = 0
    checkpoint = options.data / ('four-bit.pt' if options.four_bit else 'student.pt')
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_weights(saved['model'])
        optimizer.load_state_dict(saved['optimizer'])
        first = saved['step']
        print(f'going on from step {first}', flush=True)

    def save(step: int) -> None:
        torch.save({'model': model.weights(), 'optimizer': optimizer.state_dict(), 'step': step}, f'{checkpoint}.new')
        os.replace(f'{checkpoint}.new', checkpoint)

    rows_of = batches(ids, titles, random.Random(options.seed + first))
    started = last = time.time()
    running = 0.0
    for step in range(first, options.steps):
        for group in optimizer.param_groups:
            group['lr'] = learning_rate(step, options.steps)
        rows = next(rows_of)
        loss = distillation_loss(model(*pad([ids[i] for i in rows])), torch.from_numpy(vectors[rows].astype(np.float32)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running = 0.99 * running + 0.01 * loss.item() if step > first else loss.item()
        if step % 100 == 0:
            print(f'step {step}/{options.steps} loss {running:.4f} {time.time() - started:.0f} s', flush=True)
        if time.time() - last > CHECKPOINT_SECONDS:
            last = time.time()
            save(step + 1)
            print(f'step {step + 1} held-out cosine {cosine_to_teacher(model, options.data, "held_out"):.4f}', flush=True)
    save(options.steps)
    for name in sorted(path.stem for path in options.data.glob('*.npy') if path.stem != 'train'):
        print(f'{name} cosine {cosine_to_teacher(model, options.data, name):.4f}', flush=True)


if __name__ == '__main__':
    main()
