"""Routing metrics, per batch and per optimiser step."""

from collections.abc import Sequence
from statistics import fmean

import torch

from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import gathered
from moebench.moe.metrics import METRICS, load


def routing_metrics(decisions: Sequence[RoutingDecision]) -> dict[str, float]:
    """Return `route/<metric>` averaged over the layers and `load/<layer>/<expert>`."""
    if not decisions:
        return {}
    values = {
        f"route/{name}": torch.stack([metric(d).double() for d in decisions]).mean().item()
        for name, metric in METRICS.items()
    }
    for layer, decision in enumerate(decisions):
        for expert, share in enumerate(load(decision).tolist()):
            values[f"load/{layer}/{expert}"] = share
    return values


class StepMeans:
    """The metrics of an optimiser step: means over its batches, and the devices that share them."""

    def __init__(self) -> None:
        self._batches: list[dict[str, float]] = []

    def add(self, values: dict[str, float]) -> None:
        """Add the metrics of a batch."""
        self._batches.append(values)

    def take(self) -> dict[str, float]:
        """Return the mean of each metric over the batches that have it, and reset."""
        own, self._batches = self._batches, []
        batches = [batch for of_device in gathered(own) for batch in of_device] if own else []
        return {
            name: fmean(values[name] for values in batches if name in values)
            for name in dict.fromkeys(name for values in batches for name in values)
        }
