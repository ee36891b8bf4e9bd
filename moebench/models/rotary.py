"""Rotary positions: each pair of features turns by an angle that grows with the position.

Source: Su et al. 2021 (arXiv 2104.09864), section 3.2.2, equation 15; feature i turns together with
feature i + D/2, as in the checkpoints of Llama, Mixtral and those after them.
"""

import torch
from torch import Tensor


def turns(start: int, length: int, dim: int, theta: float, device: torch.device) -> Tensor:
    """Return cosines and sines (2, L, D/2) of the angles at positions from `start` on, float32.

    Args:
        start: first position.
        length: number L of positions.
        dim: features D of a head, an even number.
        theta: base; pair i turns by theta ** (-2 i / D) a position.
        device: where they are wanted.
    """
    pair = torch.arange(0, dim, 2, dtype=torch.float32, device=device)
    place = torch.arange(start, start + length, dtype=torch.float32, device=device)
    angle = place[:, None] * (1.0 / theta ** (pair / dim))
    return torch.stack([angle.cos(), angle.sin()])


def rotate(x_BHLD: Tensor, turn: Tensor) -> Tensor:
    """Return x_BHLD with its pairs of features turned by `turns`."""
    cos, sin = turn.to(x_BHLD.dtype)
    first, second = x_BHLD.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
