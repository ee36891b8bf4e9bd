"""A temperature on a router's scores, which makes its probabilities sharper or softer.

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

    It divides every `Score` inside the router, on both levels of a hierarchical one. Noise is
    divided along with the scores: the k best stay the k best, and only their weights change.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
        temperature: above one for softer probabilities, below one for sharper ones.

    Raises:
        ValueError: if the temperature is not above 0 and finite, or the router has no `Score`.
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
            raise ValueError(f"router={name}: has no Score for a temperature to divide")
        for score in scores:
            score.temperature *= temperature

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the wrapped router sees."""
        return sees(self.router, length, training)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD."""
        return decide(self.router, x_TD)
