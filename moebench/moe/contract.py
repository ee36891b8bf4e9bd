"""The contracts of the layer's parts; everything else in this package implements one of them.

| part | call | promise |
| --- | --- | --- |
| router | `(x_TD) -> RoutingDecision` | decides in float32; has an integer `num_experts` |
| experts | `(x_RD, count_E) -> y_RD` | rows come grouped by expert; knows nothing of routing |
| dispatcher | `(x_TD, decision, experts) -> y_TD` | sends, computes and combines in one place |
| loss | `(decision) -> scalar` | differentiable, unweighted, zero without tokens |

A configuration creates a router from the width D and its own arguments, `Router(dim, ...)`, experts
from `Experts(dim, num_experts, ...)`, a dispatcher and a loss from their arguments alone.

A layer may have shared experts, `(x_TD) -> y_TD`, which every token visits.

A router may also have

| part | meaning |
| --- | --- |
| `sees` | which other tokens its decisions depend on, see `moebench.moe.sees` |
| `allow_leaks` | true: a causal model may have it though it sees later tokens in validation |
| `k` | the number of experts of each token, if that is fixed |
| `update(decisions)` | updates its state; see below |
| `router` | the router that it wraps, which is updated with it |
| `lift_capacity()` | removes its limit on the rows of an expert, in training and outside it |

State lives in buffers, so that checkpoints include it, and changes only in `update`. Training calls
it once after every optimiser step, without gradients, with the decisions that this router made for
the batches of that step, in order. It is not called in validation, nor after a step that mixed
precision skipped because a gradient was not finite. docs/own-parts.md shows such a router with its
test.

A loss may have `wants_step_load = True`. It is then called as `(decision, load_E)`, with the load
over all batches of the optimiser step so far. It may have `sums_over_devices = True`; `OverDevices`
then calls it as `(decision, total)`, with a function that sums what it counts over all devices.

Where several devices train one run, each has decisions on its own rows of a batch. `update` must
leave the same state on all: it sums what it counts with `moebench.moe.devices.total`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision

CONTRACT = "moebench/moe/contract.py"  # named in error messages

Total = Callable[[Tensor], Tensor]  # sums an amount over several decisions


def one_device(amount: Tensor) -> Tensor:
    """Return an amount as it is: the sum over a single decision."""
    return amount


def num_experts_of(router: nn.Module) -> int:
    """Return how many experts a router chooses from.

    Raises:
        ValueError: if the router does not say.
    """
    count = getattr(router, "num_experts", None)
    if not isinstance(count, int):
        name = type(router).__name__
        raise ValueError(f"router={name}: has no integer attribute num_experts, see {CONTRACT}")
    return count


def decide(router: nn.Module, x_TD: Tensor) -> RoutingDecision:
    """Return a router's decision for x_TD.

    Raises:
        ValueError: if it returns anything but a decision.
    """
    decision = router(x_TD)
    if not isinstance(decision, RoutingDecision):
        name, kind = type(router).__name__, type(decision).__name__
        raise ValueError(f"router={name}: returns a {kind}, not a RoutingDecision, see {CONTRACT}")
    return decision


def wrapped(router: nn.Module) -> nn.Module | None:
    """Return the router inside a wrapper; None for a router that wraps none."""
    inner = getattr(router, "router", None)
    return inner if isinstance(inner, nn.Module) else None


def has_state(router: nn.Module) -> bool:
    """Return whether a router, or one that it wraps, has an `update`."""
    inner = wrapped(router)
    return hasattr(router, "update") or (inner is not None and has_state(inner))


def never_updated(router: nn.Module) -> list[nn.Module]:
    """Return the parts of a router that have a state but are never updated."""
    if has_state(router):
        return []
    parts = (part for part in router.modules() if hasattr(part, "num_experts"))
    return [part for part in parts if has_state(part) and next(part.buffers(), None) is not None]


@torch.no_grad()
def update(router: nn.Module, decisions: Sequence[RoutingDecision]) -> None:
    """Update the state of a router and of the routers it wraps, if they have any.

    Args:
        router: the router of one layer.
        decisions: its decisions, one per batch of an optimiser step.
    """
    own = getattr(router, "update", None)
    if own is not None:
        own(decisions)
    if (inner := wrapped(router)) is not None:
        update(inner, decisions)


def lift_capacity(model: nn.Module) -> None:
    """Remove the limits that the routers of a model set on the rows of an expert."""
    for part in model.modules():
        lift = getattr(part, "lift_capacity", None)
        if lift is not None:
            lift()


def wants_step_load(loss: nn.Module) -> bool:
    """Return whether a loss is called as `(decision, load_E)`."""
    return bool(getattr(loss, "wants_step_load", False))
