"""Adaptive mixtures of local experts, 1991: the mixtures, their baseline, many copies at once."""

from moebench.models.local_experts_1991.backprop import BackProp
from moebench.models.local_experts_1991.errors import (
    ERRORS,
    Competitive,
    Cooperative,
    Likelihood,
)
from moebench.models.local_experts_1991.mixture import Mixture
from moebench.models.local_experts_1991.outcome import Outcome

__all__ = [
    "ERRORS",
    "BackProp",
    "Competitive",
    "Cooperative",
    "Likelihood",
    "Mixture",
    "Outcome",
]
