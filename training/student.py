"""The student: a BERT of a few of the teacher's layers, with factorised word embeddings, as one small module."""

import copy

import torch
from torch import nn
from transformers import AutoModel

from quantise import round_linears, rounded
from teacher import mean_pool, teacher_folder
from vocabulary import kept_ids

LAYERS = (0, 2, 5)  # of the teacher's six: first, middle and last keep most (DistilBERT takes every other layer)
EMBEDDING = 128  # word embeddings are factorised, vocabulary x 128 · 128 x 384 (ALBERT, section 3.1)
HIDDEN = 384
MAX_POSITIONS = 128


class FactorisedEmbedding(nn.Module):
    """Word embeddings as a narrow table and one projection, started from the teacher's table by SVD."""

    def __init__(self, table: torch.Tensor, width: int):
        super().__init__()
        u, s, vh = torch.linalg.svd(table, full_matrices=False)
        self.table = nn.Embedding.from_pretrained((u[:, :width] * s[:width]).contiguous(), freeze=False)
        self.projection = nn.Linear(width, table.shape[1], bias=False)
        self.projection.weight.data = vh[:width].T.contiguous()
        self.four_bit = False

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = self.table(ids)
        return self.projection(rounded(rows.reshape(-1, rows.shape[-1])).reshape(rows.shape) if self.four_bit else rows)


class Student(nn.Module):
    """Token ids [batch, tokens] and mask -> unit vectors [batch, 384]; computes with 4-bit weights if asked to."""

    def __init__(self, layers: tuple[int, ...] = LAYERS, embedding: int = EMBEDDING, four_bit: bool = False):
        super().__init__()
        self.bert = AutoModel.from_pretrained(teacher_folder(), add_pooling_layer=False, attn_implementation='sdpa')
        self.bert.encoder.layer = nn.ModuleList([copy.deepcopy(self.bert.encoder.layer[i]) for i in layers])
        self.bert.config.num_hidden_layers = len(layers)
        words = self.bert.embeddings.word_embeddings.weight.data
        self.bert.embeddings.word_embeddings = FactorisedEmbedding(words[kept_ids()], embedding)
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # the target is exact and the data are plenty: noise only slows the student down
        if four_bit:
            round_linears(self)
            self.bert.embeddings.word_embeddings.four_bit = True

    def weights(self) -> dict[str, torch.Tensor]:
        """The float32 weights by the names that they have without rounding."""
        return {name.replace('parametrizations.weight.original', 'weight'): tensor for name, tensor in self.state_dict().items()}

    def load_weights(self, weights: dict[str, torch.Tensor]) -> None:
        self.load_state_dict({name: weights[name.replace('parametrizations.weight.original', 'weight')] for name in self.state_dict()})

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return mean_pool(self.bert(input_ids=ids, attention_mask=mask.long()).last_hidden_state, mask)


def pad(token_ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ragged token ids as [batch, longest] and their mask."""
    longest = max(map(len, token_ids))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in token_ids])
    mask = torch.arange(longest)[None] < torch.tensor([len(row) for row in token_ids])[:, None]
    return ids, mask
