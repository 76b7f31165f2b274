"""The static tier: a text's vector from its tokens' embeddings alone, in the encoder's space, for the time until the encoder is there.

vector = unit(P · mean of the tokens' embeddings, each with its own weight, + bias). The embeddings are the encoder's, so that
what is added to the pack is one number per token and one matrix. As in SIF (Arora et al. 2017), frequent words count less; here
the weights are learnt.

    python static_tier.py --data build/ --checkpoint build/four-bit.pt
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import nn
from torch.nn import functional as F

from quantise import packed, unpacked
from shipped import EMBEDDINGS, WORDS, floats_of, quantise_rows
from student import EMBEDDING, HIDDEN
from teacher import MAX_TOKENS
from vocabulary import tokenise

STATIC = 'static.safetensors'
EPOCHS = 3
BATCH = 512


class StaticTier(nn.Module):
    """Bags of token ids (without [CLS] and [SEP]) -> unit vectors [bags, 384]."""

    def __init__(self, table: torch.Tensor):
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # [vocabulary, embedding]
        self.weight = nn.Parameter(torch.zeros(len(table)))  # logarithm of each token's weight
        self.projection = nn.Linear(EMBEDDING, HIDDEN)

    def forward(self, bags: list[list[int]]) -> torch.Tensor:
        ids = torch.tensor([token for bag in bags for token in bag])
        offsets = torch.tensor([0, *np.cumsum([len(bag) for bag in bags])[:-1]])
        weights = self.weight.exp()[ids]
        total = torch.zeros(len(bags)).index_add(0, torch.repeat_interleave(torch.arange(len(bags)), torch.tensor([len(bag) for bag in bags])), weights)
        pooled = F.embedding_bag(ids, self.table, offsets, mode='sum', per_sample_weights=weights) / total.clamp_min(1e-12)[:, None]
        return F.normalize(self.projection(pooled), dim=1)


def bags_of(texts: list[str]) -> list[list[int]]:
    return [ids[1:-1] for ids in tokenise(texts, MAX_TOKENS)]


def tensors_of(model: StaticTier) -> dict[str, np.ndarray]:
    """The tier as it ships; the weights as half floats."""
    codes, scales = quantise_rows(model.projection.weight.detach().numpy())
    return {
        'static.weight': model.weight.detach().exp().numpy().astype(np.float16),
        'static.projection': codes,
        'static.projection.scale': scales,
        'static.bias': model.projection.bias.detach().numpy(),
    }


def load_static(pack: Path) -> StaticTier:
    """The tier with the weights of a pack."""
    floats = floats_of(load_file(pack / WORDS) | load_file(pack / STATIC))
    model = StaticTier(torch.from_numpy(floats['word.table']))
    model.weight.data = torch.from_numpy(floats['static.weight'].astype(np.float32)).log()
    model.projection.weight.data = torch.from_numpy(floats['static.projection'])
    model.projection.bias.data = torch.from_numpy(floats['static.bias'])
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', type=Path, default=Path('build'))
    parser.add_argument('--checkpoint', type=Path, default=Path('build/four-bit.pt'))
    options = parser.parse_args()
    torch.manual_seed(1)
    table = torch.load(options.checkpoint)['model'][f'{EMBEDDINGS}word_embeddings.table.weight'].numpy()
    model = StaticTier(torch.from_numpy(unpacked(*packed(table))))
    rows = {name: bags_of(json.loads((options.data / f'{name}.json').read_text())['texts']) for name in ('train', 'held_out')}
    vectors = {name: torch.from_numpy(np.load(options.data / f'{name}.npy').astype(np.float32)) for name in rows}
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    steps = EPOCHS * len(rows['train']) // BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.02, 1 - step / steps))
    started = time.time()
    for step in range(steps):
        chosen = np.random.default_rng(step).integers(0, len(rows['train']), BATCH)
        output = model([rows['train'][row] for row in chosen])
        target = vectors['train'][chosen]
        loss = 4 * (1 - (output * target).sum(1)).mean() + 20 * ((output @ output.T - target @ target.T) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f'step {step}/{steps} loss {loss.item():.4f} {time.time() - started:.0f} s', flush=True)
    with torch.inference_mode():
        print(f'held-out cosine {float((model(rows["held_out"]) * vectors["held_out"]).sum(1).mean()):.4f}')
    torch.save(model.state_dict(), options.data / 'static.pt')


if __name__ == '__main__':
    main()
