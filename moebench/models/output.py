"""What every model returns."""

from typing import NamedTuple

from torch import Tensor

from moebench.moe.decision import RoutingDecision


class Output(NamedTuple):
    """A prediction and the routing decisions behind it.

    `decisions` has one entry per mixture, in order of depth, and is empty for a dense model.
    """

    prediction: Tensor
    decisions: list[RoutingDecision]
