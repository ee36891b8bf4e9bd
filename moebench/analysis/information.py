"""Entropy and mutual information of tables of counts, in nats."""

import torch
from torch import Tensor


def entropy(counts: Tensor, over: int) -> Tensor:
    """Return the entropy of counts over the last `over` axes; zero for an empty table."""
    flat = counts.flatten(-over).double()
    total = flat.sum(dim=-1, keepdim=True).clamp(min=1)
    found: Tensor = torch.special.entr(flat / total).sum(dim=-1)
    return found


def mutual_information(counts: Tensor) -> Tensor:
    """Return the mutual information of the last two axes."""
    return (
        entropy(counts.sum(dim=-1), 1) + entropy(counts.sum(dim=-2), 1) - entropy(counts, 2)
    ).clamp(min=0)


def normalised(counts: Tensor) -> Tensor:
    """Return the mutual information of the last two axes over the mean of their entropies.

    That is the arithmetic normalisation of Vinh, Epps and Bailey 2010 (JMLR 11), section 2; zero
    where both are constant.
    """
    mean = (entropy(counts.sum(dim=-1), 1) + entropy(counts.sum(dim=-2), 1)) / 2
    return torch.where(mean > 0, mutual_information(counts) / mean.clamp(min=1e-300), 0.0)


def conditional_information(counts: Tensor) -> Tensor:
    """Return the mutual information of the last two axes given the axis before them."""
    return (
        entropy(counts.sum(dim=-1), 2)
        + entropy(counts.sum(dim=-2), 2)
        - entropy(counts, 3)
        - entropy(counts.sum(dim=(-1, -2)), 1)
    ).clamp(min=0)


def most_information(counts: Tensor) -> Tensor:
    """Return the most that `conditional_information` could be: the smaller of two entropies.

    They are those of the last two axes, each given the axis before them.
    """
    given = entropy(counts.sum(dim=(-1, -2)), 1)
    return torch.minimum(
        entropy(counts.sum(dim=-1), 2) - given, entropy(counts.sum(dim=-2), 2) - given
    ).clamp(min=0)
