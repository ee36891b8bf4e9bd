"""Loss-free balancing: a bias on the choice of experts that counteracts uneven load.

Source: Wang et al. 2024 (arXiv 2408.15664), section 2, algorithm 1; its variants are in section
4.3, Table 3. A rate that changes with the steps: DeepSeek-AI 2024, DeepSeek-V3 (arXiv 2412.19437),
section 4.2.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of, wrapped
from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import total
from moebench.moe.sees import Sees, sees

Rule = Literal["sign", "error"]


class BiasBalanced(nn.Module):
    """Wrapper that adjusts the `bias_E` of a router towards an even load.

    After every optimiser step the bias of each expert with a load below the mean rises by `rate`,
    and that of each expert with a load above it falls by `rate`; by the rule `error`, by the rate
    times the distance from the mean, relative to the mean. It sees what the wrapped router sees,
    and costs one count of the requests per step.

    Args:
        dim: width D of a token.
        router: makes the wrapped router from the width; `SigmoidTopK`, `BiasedTopK`, `ScaledTopK`
            for a multiplicative bias, or any other with a buffer `bias_E` that affects its choice.
        rate: size of an update.
        rule: `sign` of the error, or the `error` itself.
        rates: number of updates made -> rate from then on, such as {14300: 0.0} to leave the bias
            as it is after 14300 steps; the count of updates is then part of the state.

    Raises:
        ValueError: if a rate is negative or not finite, or a number of updates negative; if a rule
            is unknown, or the router has no `bias_E`.
    """

    updates: Tensor  # how many were made; only with `rates`

    def __init__(
        self,
        dim: int,
        router: Callable[[int], nn.Module],
        rate: float = 1e-3,
        rule: Rule = "sign",
        rates: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__()
        _check_rate("rate", rate)
        if rule not in get_args(Rule):
            raise ValueError(f"rule={rule}: unknown; one of {', '.join(get_args(Rule))}")
        for step, later in (rates or {}).items():
            if step < 0:
                raise ValueError(f"rates.{step}: must be at least 0, the number of updates made")
            _check_rate(f"rates.{step}", later)
        self.router = router(dim)
        self.num_experts = num_experts_of(self.router)
        self.rate, self.rule = rate, rule
        self.rates = dict(sorted((rates or {}).items()))
        if self.rates:
            self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
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
        mean = count_E.double().mean()
        error_E = mean - count_E
        change_E = error_E.sign() if self.rule == "sign" else error_E / mean.clamp(min=1e-9)
        _bias(self.router).add_(change_E, alpha=self._take_rate())

    def _take_rate(self) -> float:
        """Return the rate of this update, and count it."""
        rate = self.rate
        if self.rates:
            made = int(self.updates)
            self.updates += 1
            rate = [rate, *(later for step, later in self.rates.items() if step <= made)][-1]
        return rate


def _check_rate(name: str, rate: float) -> None:
    """Raise ValueError for a rate that is negative or not finite."""
    if not 0 <= rate < math.inf:
        raise ValueError(f"{name}={rate}: must be at least 0 and finite")


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
    raise ValueError(
        f"router={name}: has no bias_E to update; BiasedTopK, SigmoidTopK and ScaledTopK have one"
    )
