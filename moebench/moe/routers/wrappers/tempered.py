"""A temperature on the scores of a router, which makes its probabilities sharper or softer.

Source: Hinton, Vinyals and Dean 2015 (arXiv 1503.02531), section 2, equation 1, for the softmax.
"""

import math
from collections.abc import Callable

from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import Score
from moebench.moe.sees import Sees, sees


class Tempered(nn.Module):
    """Wrapper that divides the scores of a router by a temperature: softmax(logits / temperature).

    Every `Score` of the router and of what it wraps is divided, on both levels of two. Noise on the
    scores is divided with them, once: the k best stay the k best, and their weights change.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
        temperature: above one for softer probabilities, below one for sharper ones.

    Raises:
        ValueError: for a temperature that is not above 0 and finite, or a router without a `Score`.
    """

    def __init__(
        self, dim: int, router: Callable[[int], nn.Module], temperature: float = 1.0
    ) -> None:
        super().__init__()
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature={temperature}: must be above 0 and finite")
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)
        self.temperature = temperature
        scores = [part for part in self.router.modules() if isinstance(part, Score)]
        if not scores:
            name = type(self.router).__name__
            raise ValueError(f"router={name}: has no Score that a temperature could divide")
        for score in scores:
            score.temperature *= temperature

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the wrapped router sees."""
        return sees(self.router, length, training)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Decide for x_TD."""
        return decide(self.router, x_TD)
