"""The domain of every window, and permutations of the domains as a null.

Whole windows are permuted, never tokens, because tokens of one window are not independent.
"""

import torch
from torch import Tensor


class Labels:
    """Domains of windows in the order in which they are read.

    All permutations are cyclic shifts of one random order, so that any number of them needs the
    memory of one.

    Args:
        domain_S: number of each window's domain.
        names: names of the domains.
        permutations: number P of permutations.
        seed: seed of the random order.
    """

    def __init__(
        self, domain_S: Tensor, names: tuple[str, ...], permutations: int = 99, seed: int = 0
    ) -> None:
        self.names = names
        generator = torch.Generator().manual_seed(seed)
        windows = len(domain_S)
        self._domain_S = domain_S
        # If domains alternate, as in validation, shifts of the order itself would be alike.
        self._shuffled_S = domain_S[torch.randperm(windows, generator=generator)]
        self._shift_P1 = torch.randint(windows, (permutations, 1), generator=generator)

    @property
    def permutations(self) -> int:
        """Number of permutations P."""
        return len(self._shift_P1)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Return domain_B and null_PB of `count` windows from number `start` on."""
        domain_B = self._domain_S[start : start + count]
        place_B = torch.arange(start, start + len(domain_B))
        return domain_B, self._shuffled_S[(place_B + self._shift_P1) % len(self._shuffled_S)]
