"""Weights in 4 bits: codes of -7 to 7 in groups of 32, a whole multiplier of 1 to 16 per group, one float32 scale per row.

code · multiplier is an int8 (at most 112), so that a device unpacks a row to int8 · scale exactly, and multiplies it as such.
"""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

GROUP = 32
LARGEST_CODE = 7
LARGEST_MULTIPLIER = 16


def codes_of(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """[rows, columns] -> codes [rows, groups, 32], multipliers [rows, groups, 1], scales [rows, 1, 1], all as floats."""
    groups = matrix.reshape(matrix.shape[0], -1, GROUP)
    wanted = groups.abs().amax(2, keepdim=True) / LARGEST_CODE
    scale = wanted.amax(1, keepdim=True).clamp_min(1e-12) / LARGEST_MULTIPLIER
    multiplier = (wanted / scale).round().clamp(1, LARGEST_MULTIPLIER)
    codes = (groups / (multiplier * scale)).round().clamp(-LARGEST_CODE, LARGEST_CODE)
    return codes, multiplier, scale


def rounded(matrix: torch.Tensor) -> torch.Tensor:
    """The values that ship; gradients pass straight through (Bengio et al. 2013, section 4)."""
    with torch.no_grad():
        codes, multiplier, scale = codes_of(matrix)
        difference = (codes * multiplier * scale).reshape(matrix.shape) - matrix
    return matrix + difference


class FourBit(nn.Module):
    """Parametrisation of a weight by the values that ship."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return rounded(weight)


def round_linears(model: nn.Module) -> None:
    """Makes every linear layer compute with the weights that ship."""
    for module in list(model.modules()):
        if isinstance(module, nn.Linear):
            parametrize.register_parametrization(module, 'weight', FourBit())


def packed(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[rows, columns] -> codes [rows, columns / 2] and multipliers [rows, groups / 2], two of 4 bits a byte, the first lower; scales [rows]."""
    codes, multiplier, scale = (part.numpy() for part in codes_of(torch.from_numpy(matrix)))
    rows = len(matrix)
    return halves(codes.reshape(rows, -1) + 8), halves(multiplier.reshape(rows, -1) - 1), scale.reshape(rows).astype(np.float32)


def halves(values: np.ndarray) -> np.ndarray:
    """[rows, 2 n] of 0 to 15 -> bytes [rows, n]."""
    whole = values.astype(np.uint8)
    return whole[:, 0::2] | (whole[:, 1::2] << 4)


def unpacked(codes: np.ndarray, multipliers: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The inverse of `packed`, as float32 [rows, columns]: what the devices compute with."""

    def wide(values: np.ndarray) -> np.ndarray:
        return np.stack([values & 15, values >> 4], 2).reshape(len(values), -1).astype(np.int32)

    rows = (wide(codes) - 8) * np.repeat(wide(multipliers) + 1, GROUP, 1)
    return (rows * scales[:, None]).astype(np.float32)
