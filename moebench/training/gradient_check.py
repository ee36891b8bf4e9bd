"""Checks of the first step: does every loss train a router, and does the task train every router?

Auxiliary losses that are computed but have no effect, and routers that never learn, are common
silent bugs.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from moebench.models.contract import CONTRACT
from moebench.moe.decision import RoutingDecision

log = logging.getLogger(__name__)

ROUNDING = 1e-6  # a gradient below this share of the weights' gradient is rounding error


def routers(network: nn.Module) -> dict[str, nn.Module]:
    """Return name -> router of every MoE layer in order of depth, found by its attribute there."""
    return {
        name: module
        for name, module in network.named_modules()
        if name.split(".").count("router") == 1 and name.split(".")[-1] == "router"
    }


def check_routers(network: nn.Module) -> None:
    """Refuse a model with a stateful router that `routers` cannot find, as it would never update.

    Raises:
        ValueError: naming the router.
    """
    found = {part for router in routers(network).values() for part in router.modules()}
    for part in network.modules():
        if part not in found and hasattr(part, "num_experts") and hasattr(part, "update"):
            raise ValueError(
                f"model.network={type(network).__name__}: holds the router {type(part).__name__} "
                f"in no attribute `router`, so its state is never updated, see {CONTRACT}"
            )


def router_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the trainable parameters of every router."""
    return [
        parameter
        for router in routers(network).values()
        for parameter in router.parameters()
        if parameter.requires_grad
    ]


def numbered(layers: Iterable[int]) -> str:
    """Return layers in words, such as "layers 0, 1"."""
    listed = list(layers)
    return f"layer{'s' if len(listed) > 1 else ''} {', '.join(map(str, listed))}"


def no_effect(value: Tensor, parameters: list[nn.Parameter]) -> str:
    """Return why `value` trains none of the parameters; empty if it trains one."""
    if not parameters:
        return "the routers have no trainable parameter"
    if not value.requires_grad:
        return "it does not depend on any trainable parameter"
    gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    if all(gradient is None or not gradient.any() for gradient in gradients):
        return "its gradient with respect to every router is zero"
    return ""


def report_losses(terms: Mapping[str, Tensor], network: nn.Module) -> None:
    """Warn of every loss that trains no router, one line per loss, with the reason."""
    for name, value in terms.items():
        reason = no_effect(value, router_parameters(network))
        if reason:
            log.warning("loss %s has no effect on routing: %s", name, reason)


def untrained(
    task: Tensor, total: Tensor, decisions: Sequence[RoutingDecision], network: nn.Module
) -> dict[str, list[int]]:
    """Return reason -> the layers whose router, or a part of it, has nothing to learn from.

    The task must train every router, or it learns nothing but balance; parameters of a router that
    the task does not reach must be trained by the losses on routing. Routers without a trainable
    parameter are left out.

    Args:
        task: the task loss.
        total: the task loss with all weighted losses.
        decisions: those of all layers.
        network: the model.
    """
    found: dict[str, list[int]] = {}
    of_network = list(routers(network).values())
    weights = [d.weight_A for d in decisions if d.weight_A.requires_grad]
    least = ROUNDING * max((float(g.norm()) for g in _gradients(task, weights)), default=0.0)
    for layer, router in enumerate(of_network):
        own = {name: p for name, p in router.named_parameters() if p.requires_grad}
        without = _without_gradient(task, own, least)
        if own and len(without) == len(own):
            known = len(decisions) == len(of_network)
            reason = f"the task does not reach it: {_why(decisions[layer] if known else None)}"
            found.setdefault(reason, []).append(layer)
        elif never := _without_gradient(total, without, least):
            found.setdefault(f"no loss reaches its {', '.join(never)}", []).append(layer)
    return found


def report_routers(
    task: Tensor, total: Tensor, decisions: Sequence[RoutingDecision], network: nn.Module
) -> None:
    """Warn of routers that cannot learn, one line per reason; arguments as for `untrained`."""
    for reason, layers in untrained(task, total, decisions, network).items():
        log.warning("the router in %s cannot learn: %s", numbered(layers), reason)


def _without_gradient(
    value: Tensor, parameters: Mapping[str, nn.Parameter], least: float
) -> dict[str, nn.Parameter]:
    """Return the parameters on which a value does not depend, rounding errors aside."""
    gradients = _gradients(value, list(parameters.values()))
    return {
        name: parameter
        for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True)
        if not float(gradient.abs().amax()) > least
    }


def _gradients(value: Tensor, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Return the gradient by each input, zero if there is none; keep the graph."""
    if not inputs or not value.requires_grad:
        return [torch.zeros_like(tensor) for tensor in inputs]
    return torch.autograd.grad(value, inputs, retain_graph=True, materialize_grads=True)


def _why(decision: RoutingDecision | None) -> str:
    """Return why the task does not reach the router that made a decision."""
    if decision is None or not decision.weight_A.numel():
        return "its gradient is zero"
    if not decision.weight_A.requires_grad:
        return "its weights carry no gradient"
    weight_A = decision.weight_A.detach()
    if not decision.kept_A.any():
        return "none of its assignments is kept"
    alike = float(weight_A.max() - weight_A.min()) <= ROUNDING * float(weight_A.max())
    if alike and weight_A.numel() <= decision.num_tokens:
        return (
            f"its one choice always has weight {float(weight_A.max()):.3g}, normalised over itself;"
            " use k of 2 or more, or a router that does not normalise (SoftmaxTopK, Switch)"
        )
    return "its gradient is zero"
