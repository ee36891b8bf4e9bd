"""The tests of claims that this paper alone uses, by name."""

from reproductions.jacobs_1991.judging_arms import Bound, OnItsSide, ShareOfRuns
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
    "OnItsSide",
    "Pair",
    "SameAccuracy",
    "ShareOfRuns",
    "Steadier",
    "TwoMeans",
]
