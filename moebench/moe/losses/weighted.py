"""The losses of a training run, each with a name and a weight; the one place that sums them."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from moebench.moe.contract import wants_step_load
from moebench.moe.decision import RoutingDecision
from moebench.moe.step import StepLoads

TASK = "loss"  # the name under which the task loss is logged


@dataclass(frozen=True)
class Weighted:
    """A loss on routing decisions and its weight relative to the task loss.

    Raises:
        ValueError: for a weight that is negative or not a number.
    """

    loss: nn.Module  # of the decisions of one mixture
    weight: float = 0.01  # relative to the loss of the task
    name: str | None = None  # logged as train/<name>; None: the name of its class

    def __post_init__(self) -> None:
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"model.losses.weight={self.weight}: must be 0 or a positive number")

    @property
    def label(self) -> str:
        """The name under which it is logged."""
        return type(self.loss).__name__ if self.name is None else self.name


class BatchLoss(NamedTuple):
    """The loss of a batch, and its terms."""

    total: Tensor  # what training minimises
    task: Tensor
    terms: Mapping[str, Tensor]  # by name, unweighted, summed over the layers


class WeightedLosses:
    """Losses on routing decisions, each with its own name.

    Args:
        terms: the losses.

    Raises:
        ValueError: if two share a name, or a name cannot be logged.
    """

    def __init__(self, terms: Sequence[Weighted]) -> None:
        self.terms = list(terms)
        _check_names([term.label for term in self.terms])
        self._over_step = any(wants_step_load(term.loss) for term in self.terms)
        self._loads = StepLoads()

    def sum(self, task: Tensor, decisions: Sequence[RoutingDecision]) -> BatchLoss:
        """Return the task loss plus the weighted losses on all decisions of a batch."""
        terms = self.values(decisions)
        weights = {term.label: term.weight for term in self.terms}
        total: Tensor = task + sum(weights[name] * value for name, value in terms.items())
        return BatchLoss(total, task, terms)

    def values(self, decisions: Sequence[RoutingDecision]) -> dict[str, Tensor]:
        """Return each loss by its name, unweighted, summed over the layers.

        For a loss over the whole optimiser step, the load includes that of its earlier batches.
        """
        if not decisions:
            return {}
        load_LE = self._loads.add(decisions) if self._over_step else []
        found = {}
        for term in self.terms:
            of_step = wants_step_load(term.loss)
            given = zip(decisions, load_LE, strict=True) if of_step else zip(decisions)
            found[term.label] = torch.stack([term.loss(*d) for d in given]).sum()
        return found

    def end_step(self) -> None:
        """Start a new optimiser step."""
        self._loads.reset()


def _check_names(names: Sequence[str]) -> None:
    """Raise ValueError for a name that occurs twice, is reserved, or cannot be logged."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(
                f"model.losses: {count} of them are named {name}; give each its own name, as in "
                f"{{loss: {name}, name: another}}"
            )
        if name == TASK or not re.fullmatch(r"[\w.-]+", name):
            raise ValueError(
                f"model.losses.name={name}: must consist of letters, digits and any of _ . - and "
                f"not be {TASK}, the name of the task loss"
            )
