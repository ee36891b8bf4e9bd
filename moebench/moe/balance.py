"""A decision of experts that each take the same number of tokens, with its learnt thresholds.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix F.
"""

from dataclasses import dataclass

from torch import Tensor

from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True, kw_only=True)
class BalancedDecision(RoutingDecision):
    """The rows of `threshold_E` experts: in training the best of the batch, else those above it."""

    threshold_E: Tensor  # the probability above which an expert takes a token outside training
