"""Helpers for tests of these networks: reproducible random numbers, and cases and trees from them.

Dimensions: as in the modules under test.
"""

import torch
from torch import Tensor

from reproductions.jordan_1994.networks.curve import Cases
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree

SEEDS = (3, 4)


def double(*numbers: object) -> Tensor:
    """Return a tensor in float64."""
    return torch.tensor(numbers, dtype=torch.float64)


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Return normally distributed numbers in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def cases(number: int = 40, features: int = 3, outputs: int = 2, seed: int = 0) -> Cases:
    """Return cases whose targets are a nonlinear function of the inputs."""
    x_TD = draw(number, features, seed=seed)
    return Cases.of(x_TD, (x_TD @ draw(features, outputs, seed=seed + 1)).abs() + x_TD[:, :1])


def grown(depth: int, spread: float = 1.0, features: int = 3, outputs: int = 2) -> Hierarchy:
    """Return two trees in general position, with different variances."""
    weights = Tree(depth).init(SEEDS, spread, features, outputs)
    return weights._replace(log_variance_SE=draw(len(SEEDS), 2**depth) / 2)
