"""The weights as they ship: a checkpoint as named tensors of 4-bit codes, and back to a model that computes with them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from quantise import packed, unpacked
from student import MAX_POSITIONS, Student, pad

WORDS = 'words.safetensors'  # read first: the static tier needs these alone
LAYERS = 'layers.safetensors'

EMBEDDINGS = 'bert.embeddings.'
LAYER_PARTS = {
    'attention.output': 'attention.output.dense',
    'attention.norm': 'attention.output.LayerNorm',
    'feedforward.inner': 'intermediate.dense',
    'feedforward.outer': 'output.dense',
    'feedforward.norm': 'output.LayerNorm',
}


def quantise_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[rows, columns] -> int8 of the same shape and one float32 scale per row: value = int8 · scale."""
    scale = np.maximum(np.abs(matrix).max(1), 1e-12).astype(np.float32) / 127
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale


def service_tensors(state: dict[str, torch.Tensor]) -> Iterator[tuple[str, np.ndarray]]:
    """The checkpoint's tensors under the pack's names; position and the only used token type are one table."""
    get = {name: tensor.float().numpy() for name, tensor in state.items()}.__getitem__
    yield 'word.table', get(f'{EMBEDDINGS}word_embeddings.table.weight')
    yield 'word.projection', get(f'{EMBEDDINGS}word_embeddings.projection.weight')
    positions = get(f'{EMBEDDINGS}position_embeddings.weight')[:MAX_POSITIONS]
    yield 'position', positions + get(f'{EMBEDDINGS}token_type_embeddings.weight')[:1]
    yield 'embeddings.norm.weight', get(f'{EMBEDDINGS}LayerNorm.weight')
    yield 'embeddings.norm.bias', get(f'{EMBEDDINGS}LayerNorm.bias')
    for layer in range(layers_of(state)):
        prefix = f'bert.encoder.layer.{layer}.'
        for kind in ('weight', 'bias'):
            yield f'layer.{layer}.attention.qkv.{kind}', np.concatenate([get(f'{prefix}attention.self.{part}.{kind}') for part in ('query', 'key', 'value')])
            for ours, theirs in LAYER_PARTS.items():
                yield f'layer.{layer}.{ours}.{kind}', get(f'{prefix}{theirs}.{kind}')


def layers_of(state: dict[str, torch.Tensor]) -> int:
    return 1 + max(int(name.split('.')[3]) for name in state if name.startswith('bert.encoder.layer.'))


def stored(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """A tensor as it is written: matrices as 4-bit codes, positions as int8 rows (read once per token, and few), vectors as float32."""
    if values.ndim == 1:
        return {name: values.astype(np.float32)}
    if name == 'position':
        codes, scales = quantise_rows(values)
        return {name: codes, f'{name}.scale': scales}
    codes, multipliers, scales = packed(values)
    return {name: codes, f'{name}.multiplier': multipliers, f'{name}.scale': scales}


def stored_files(state: dict[str, torch.Tensor]) -> dict[str, dict[str, np.ndarray]]:
    """What each file of weights holds."""
    files: dict[str, dict[str, np.ndarray]] = {WORDS: {}, LAYERS: {}}
    for name, values in service_tensors(state):
        files[WORDS if name == 'word.table' else LAYERS] |= stored(name, values)
    return files


def floats_of(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every tensor as the float32 values that it stands for."""
    floats = {}
    for name, values in tensors.items():
        if name.endswith(('.scale', '.multiplier')):
            continue
        if f'{name}.multiplier' in tensors:
            floats[name] = unpacked(values, tensors[f'{name}.multiplier'], tensors[f'{name}.scale'])
        else:
            floats[name] = values * tensors[f'{name}.scale'][:, None] if values.dtype == np.int8 else values
    return floats


def load_shipped(pack: Path) -> Student:
    """A student that computes in float32 with the weights of a pack: what the devices must agree with."""
    tensors = load_file(pack / WORDS) | load_file(pack / LAYERS)
    floats = {name: torch.from_numpy(values) for name, values in floats_of(tensors).items()}
    model = Student().eval()
    state = model.state_dict()
    state[f'{EMBEDDINGS}word_embeddings.table.weight'] = floats['word.table']
    state[f'{EMBEDDINGS}word_embeddings.projection.weight'] = floats['word.projection']
    state[f'{EMBEDDINGS}position_embeddings.weight'][:MAX_POSITIONS] = floats['position']
    state[f'{EMBEDDINGS}token_type_embeddings.weight'].zero_()
    for kind in ('weight', 'bias'):
        state[f'{EMBEDDINGS}LayerNorm.{kind}'] = floats[f'embeddings.norm.{kind}']
        for layer in range(layers_of(state)):
            prefix = f'bert.encoder.layer.{layer}.'
            parts = torch.chunk(floats[f'layer.{layer}.attention.qkv.{kind}'], 3)
            for part, values in zip(('query', 'key', 'value'), parts, strict=True):
                state[f'{prefix}attention.self.{part}.{kind}'] = values
            for ours, theirs in LAYER_PARTS.items():
                state[f'{prefix}{theirs}.{kind}'] = floats[f'layer.{layer}.{ours}.{kind}']
    model.load_state_dict(state)
    return model


def embed(model: Student, token_ids: list[list[int]], batch: int = 64) -> np.ndarray:
    """Vectors of tokenised texts, [texts, hidden], batched by length so that little is padded."""
    vectors = np.zeros((len(token_ids), model.bert.config.hidden_size), np.float32)
    order = sorted(range(len(token_ids)), key=lambda i: len(token_ids[i]))
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            vectors[rows] = model(*pad([token_ids[i] for i in rows])).numpy()
    return vectors
