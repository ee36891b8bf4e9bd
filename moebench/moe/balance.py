"""The decision of a router that gives every expert the same number of tokens.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix F.
"""

from dataclasses import dataclass

from torch import Tensor

from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True, kw_only=True)
class BalancedDecision(RoutingDecision):
    """In training each expert takes its best tokens of the batch, else those above a threshold."""

    threshold_E: Tensor  # probability above which an expert takes a token outside training
