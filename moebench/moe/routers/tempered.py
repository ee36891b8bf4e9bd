"""A temperature on the scores of a router, which makes its probabilities sharper or softer.

Source: Hinton, Vinyals and Dean 2015 (arXiv 1503.02531), section 2, equation 1, for the softmax.
"""

from collections.abc import Callable

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.routers.score import at_least_float32
from moebench.moe.sees import Sees, sees


class Tempered(nn.Module):
    """Wrapper that divides the scores of a router by a temperature.

    It divides what the router sees, which is the same wherever scores are linear in it, as those of
    `Score` are; experts see the token as it is.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width.
        temperature: above one for softer probabilities, below one for sharper ones.
    """

    def __init__(
        self, dim: int, router: Callable[[int], nn.Module], temperature: float = 1.0
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature={temperature}: must be above 0")
        self.router = router(dim)
        self.num_experts = self.router.num_experts
        self.temperature = temperature

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the wrapped router sees."""
        return sees(self.router, length, training)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Decide for x_TD."""
        decision: RoutingDecision = self.router(at_least_float32(x_TD) / self.temperature)
        return decision
