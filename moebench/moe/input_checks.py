"""Refusals of tensors that a layer, a router or experts cannot take.

Without them, most would fail deep inside torch, and some would reach the wrong experts unnoticed.
"""

import torch
from torch import Tensor


def check_tokens(x: Tensor, real: Tensor | None) -> None:
    """Refuse anything but tokens of a layer.

    Raises:
        ValueError: if x is not a tensor of vectors, or `real` is not one bool per token.
    """
    if not (torch.is_tensor(x) and x.is_floating_point() and x.ndim and x.shape[-1]):
        wanted = "a floating-point tensor of the shape (..., D)"
        raise ValueError(f"x: is {_described(x)}; must be {wanted}")
    if real is not None and not (
        torch.is_tensor(real) and real.shape == x.shape[:-1] and real.dtype == torch.bool
    ):
        wanted = f"torch.bool of {tuple(x.shape[:-1])}"
        raise ValueError(f"real: is {_described(real)}; must be {wanted}")


def check_operands(x: Tensor, width: int, weight: Tensor, owner: str) -> None:
    """Refuse tokens or rows of another width or dtype than that of the weights.

    Args:
        x: tokens or rows, of the shape (..., D).
        width: D, as the weights have it.
        weight: the weights.
        owner: whose they are, as "router".
    """
    if x.shape[-1] != width:
        raise ValueError(f"x: has the width {x.shape[-1]}; that of the {owner} is {width}")
    if x.dtype != weight.dtype:
        raise ValueError(f"x: is {x.dtype}; the weights of the {owner} are {weight.dtype}")


def check_counts(counted: int, num_experts: int) -> None:
    """Refuse counts of another number of experts, which could reach the wrong ones."""
    if counted != num_experts:
        raise ValueError(f"experts: there are {num_experts}; the router chooses from {counted}")


def _described(value: object) -> str:
    """Return what a value is, for a refusal."""
    if isinstance(value, Tensor):
        return f"{value.dtype} of the shape {tuple(value.shape)}"
    return f"of the type {type(value).__name__}"
