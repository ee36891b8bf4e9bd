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
        # Of domains that come in turn, as in validation, the turns themselves would be alike.
        self._shuffled_S = domain_S[torch.randperm(windows, generator=generator)]
        self._turn_P1 = torch.randint(windows, (permutations, 1), generator=generator)

    @property
    def permutations(self) -> int:
        """Number of permutations P."""
        return len(self._turn_P1)

    def read(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Return domain_B and null_PB of so many windows from one on."""
        domain_B = self._domain_S[start : start + count]
        place_B = torch.arange(start, start + len(domain_B))
        return domain_B, self._shuffled_S[(place_B + self._turn_P1) % len(self._shuffled_S)]
