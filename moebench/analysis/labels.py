"""The domain of every window, and permutations of them, against which a dependence is held.

Whole windows are dealt out anew, never tokens: tokens of one window are no independent draws.
"""

import torch
from torch import Tensor


class Labels:
    """Domains of windows in the order in which they are read.

    All permutations are turns of one random order, so that any number of them costs the memory of
    that one.

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
        windows = len(domain_S)
        self._domain_S = domain_S
        self._order_S = torch.randperm(windows, generator=generator)
        self._turn_P1 = torch.randint(windows, (permutations, 1), generator=generator)

    @property
    def permutations(self) -> int:
        """Number of permutations P."""
        return len(self._turn_P1)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Return domain_B and null_PB of so many windows from one on."""
        place_PB = (self._order_S[start : start + count] + self._turn_P1) % len(self._order_S)
        return self._domain_S[start : start + count], self._domain_S[place_PB]
