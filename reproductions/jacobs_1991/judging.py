"""The tests of claims that only this paper uses."""

from reproductions.jacobs_1991.judging_arms import Bound, ShareOfRuns, WithinBounds
from reproductions.jacobs_1991.judging_orders import AboveOverOrders, FewerEpochsOverOrders
from reproductions.jacobs_1991.judging_pairs import (
    FewerEpochs,
    Pair,
    Steadier,
    TwoMeans,
)
from reproductions.jacobs_1991.judging_same import SameAccuracy

__all__ = [
    "AboveOverOrders",
    "Bound",
    "FewerEpochs",
    "FewerEpochsOverOrders",
    "Pair",
    "SameAccuracy",
    "ShareOfRuns",
    "Steadier",
    "TwoMeans",
    "WithinBounds",
]
