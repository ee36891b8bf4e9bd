"""Exploration by dropout: the router sees its input with random features set to zero.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), appendix C, "input dropout".
"""

from collections.abc import Callable

from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import Sees, sees


class InputDropout(nn.Module):
    """Wrapper that drops features of the router's input in training; experts see it whole.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
        rate: share of features dropped.
    """

    def __init__(self, dim: int, router: Callable[[int], nn.Module], rate: float = 0.1) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"rate={rate}: must be at least 0 and below 1")
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)
        self.dropout = nn.Dropout(rate)

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the wrapped router sees."""
        return sees(self.router, length, training)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        return decide(self.router, self.dropout(x_TD))
