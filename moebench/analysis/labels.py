"""The domain of every window, and permutations of them, against which a dependence is held.

Whole windows are dealt out anew, never tokens: tokens of one window are no independent draws.
"""

import torch
from torch import Tensor


class Labels:
    """Domains of windows in the order in which they are read.

    A permutation is a rotation of the domains in a random order, so that any number of them costs
    the memory of one.

    Args:
        domain_S: number of each window's domain.
        names: of the domains.
        permutations: how many, P.
        seed: of the random order.
    """

    def __init__(
        self, domain_S: Tensor, names: tuple[str, ...], permutations: int = 99, seed: int = 0
    ) -> None:
        self.names = names
        generator = torch.Generator().manual_seed(seed)
        order_S = torch.randperm(len(domain_S), generator=generator)
        self._domain_S = domain_S
        self._shuffled_S = domain_S[order_S]
        self._rank_S = torch.empty_like(order_S)
        self._rank_S[order_S] = torch.arange(len(order_S))
        self._turn_P1 = torch.randint(
            1, max(2, len(order_S)), (permutations, 1), generator=generator
        )

    @property
    def permutations(self) -> int:
        """Number of permutations P."""
        return len(self._turn_P1)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Return domain_B and null_PB of so many windows from one on."""
        rank_B = self._rank_S[start : start + count]
        place_PB = (rank_B + self._turn_P1) % len(self._shuffled_S)
        return self._domain_S[start : start + count], self._shuffled_S[place_PB]
