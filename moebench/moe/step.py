"""What an optimiser step accumulates over its batches: loads for losses, decisions for routers."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from moebench.moe.contract import CONTRACT, has_state, never_updated, update
from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import device_count, same_everywhere, totals


class StepLoads:
    """The load of every layer, accumulated over the batches and devices of an optimiser step."""

    def __init__(self) -> None:
        self._count_LE: list[Tensor] = []  # L layers

    def add(self, decisions: Sequence[RoutingDecision]) -> list[Tensor]:
        """Add a batch's decisions, one per layer; return each layer's load_E in the step so far."""
        with torch.no_grad():
            count_LE = [d.requested_A.bincount(minlength=d.num_experts) for d in decisions]
            count_LE = totals(count_LE)
            if self._count_LE:
                pairs = zip(self._count_LE, count_LE, strict=True)
                count_LE = [before + now for before, now in pairs]
            self._count_LE = count_LE
            return [count_E / count_E.sum().clamp(min=1) for count_E in count_LE]

    def reset(self) -> None:
        """Start a new step."""
        self._count_LE = []


class RouterUpdates:
    """The decisions of an optimiser step, kept for the routers that have a state.

    Args:
        routers: the routers of a model's mixtures, in order of depth.

    Raises:
        ValueError: if a router has a stateful part that it does not update.
    """

    def __init__(self, routers: Iterable[nn.Module]) -> None:
        self._routers = list(routers)
        self._batches: list[list[RoutingDecision]] = []
        self._agreed = False  # have devices been found to have the same states?
        self.needed = any(map(has_state, self._routers))
        for router in self._routers:
            for part in never_updated(router):
                name, inner = type(router).__name__, type(part).__name__
                raise ValueError(f"router={name}: does not update its {inner}, see {CONTRACT}")

    def add(self, decisions: Sequence[RoutingDecision]) -> None:
        """Keep the decisions of a batch, without their graph; do nothing if no router has a state.

        Raises:
            ValueError: unless there is one decision for each router.
        """
        if not self.needed:
            return
        if len(decisions) != len(self._routers):
            raise ValueError(
                f"model.network: makes {len(decisions)} decisions with {len(self._routers)} "
                f"routers; a router with a state must not serve several layers, see {CONTRACT}"
            )
        self._batches.append([_detached(decision) for decision in decisions])

    def apply(self) -> None:
        """Update each router with its own decisions, and start a new step.

        Raises:
            ValueError: after the first update, if the state of a router is not the same everywhere.
        """
        batches, self._batches = self._batches, []
        if batches:
            for router, *decisions in zip(self._routers, *batches, strict=True):
                update(router, decisions)
                if device_count() > 1 and not self._agreed:
                    _check_agreement(router)
            self._agreed = True

    def discard(self) -> None:
        """Start a new step and leave the state unchanged."""
        self._batches = []


def _check_agreement(router: nn.Module) -> None:
    """Refuse a router that every device has updated with what it alone has seen.

    Raises:
        ValueError: naming the router.
    """
    for name, state in router.named_buffers():
        if not same_everywhere(state):
            raise ValueError(
                f"router={type(router).__name__}: after its update, {name} differs between devices;"
                f" sum what `update` counts with moebench.moe.devices.total, see {CONTRACT}"
            )


def _detached(decision: RoutingDecision) -> RoutingDecision:
    """Return a decision, and the decisions inside it, without their graph."""
    values = {field.name: getattr(decision, field.name) for field in fields(decision)}
    return replace(decision, **{name: _without_graph(value) for name, value in values.items()})


def _without_graph(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, RoutingDecision):
        return _detached(value)
    return [_without_graph(part) for part in value] if isinstance(value, list | tuple) else value
