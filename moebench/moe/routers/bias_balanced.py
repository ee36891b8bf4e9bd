"""Loss-free balancing: a bias on the choice of experts that counteracts uneven load.

Source: Wang et al. 2024 (arXiv 2408.15664), section 2, algorithm 1.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from moebench.moe.argument_kinds import checks_kinds
from moebench.moe.contract import decide, num_experts_of, wrapped
from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import total
from moebench.moe.sees import Sees, sees


@checks_kinds
class BiasBalanced(nn.Module):
    """Wrapper that adjusts the `bias_E` of a router towards an even load.

    After every optimiser step the bias of each expert with a load below the mean rises by `rate`,
    and that of each expert with a load above it falls by `rate`.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width; `SigmoidTopK`, `BiasedTopK`, or any other
            with a buffer `bias_E` that affects its choice.
        rate: size of an update.

    Raises:
        ValueError: if the rate is negative or not finite, or the router has no `bias_E`.
    """

    def __init__(self, dim: int, router: Callable[[int], nn.Module], rate: float = 1e-3) -> None:
        super().__init__()
        if not 0 <= rate < math.inf:
            raise ValueError(f"rate={rate}: must be at least 0 and finite")
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)
        self.rate = rate
        _bias(self.router)

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the wrapped router sees."""
        return sees(self.router, length, training)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        return decide(self.router, x_TD)

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        """Update the bias from the load over all decisions of a step, before capacity.

        Those of all devices count.
        """
        requested_A = torch.cat([decision.requested_A for decision in decisions])
        count_E = total(requested_A.bincount(minlength=self.num_experts))
        _bias(self.router).add_((count_E.double().mean() - count_E).sign(), alpha=self.rate)


def _bias(router: nn.Module) -> Tensor:
    """Return the bias of a router, or of the router it wraps.

    Raises:
        ValueError: if there is none.
    """
    part: nn.Module | None = router
    while part is not None:
        if (bias_E := dict(part.named_buffers(recurse=False)).get("bias_E")) is not None:
            return bias_E
        part = wrapped(part)
    name = type(router).__name__
    raise ValueError(f"router={name}: has no bias_E to update; BiasedTopK and SigmoidTopK have one")
