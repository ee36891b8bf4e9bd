"""Adaptive mixtures of local experts, 1991: mixtures, their baseline, many replicas at once."""

from reproductions.jacobs_1991.networks.backprop import BackProp
from reproductions.jacobs_1991.networks.errors import (
    ERRORS,
    Competitive,
    Cooperative,
    Likelihood,
)
from reproductions.jacobs_1991.networks.mixture import Mixture

__all__ = [
    "ERRORS",
    "BackProp",
    "Competitive",
    "Cooperative",
    "Likelihood",
    "Mixture",
]
