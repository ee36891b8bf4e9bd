"""The small problem that all contract tests use."""

import torch
from torch import Tensor

T, D, E = 12, 8, 4


def tokens(num_tokens: int = T, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return x_TD drawn with a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(num_tokens, D, generator=generator).to(dtype)
