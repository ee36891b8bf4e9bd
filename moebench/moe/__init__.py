"""The mixture-of-experts layer and its families of interchangeable parts; needs torch alone."""

from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.sees import Sees

__all__ = [
    "Capacity",
    "Limited",
    "MoELayer",
    "RoutingDecision",
    "Sees",
    "Sparse",
    "tokens_choose",
]
