"""A decision made in two steps: first a group of experts, then experts of that group.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix B.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True, kw_only=True)
class HierarchicalDecision(RoutingDecision):
    """Experts are numbered group by group; a row's weight is the product of both gates."""

    primary: RoutingDecision  # of all tokens, over the groups
    secondary: Sequence[RoutingDecision]  # one per group, over the tokens sent to it
    token_of: Sequence[Tensor]  # one per group: positions of its tokens in the batch
