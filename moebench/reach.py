"""A check of the first step: does every configured loss reach a router at all?

Auxiliary losses that are computed but have no effect are a common silent fault.
"""

import logging
from collections.abc import Mapping

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)


def router_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the trainable parameters of every router, found by its place in a MoE layer."""
    return [
        parameter
        for name, parameter in network.named_parameters()
        if "router" in name.split(".") and parameter.requires_grad
    ]


def unreached(value: Tensor, parameters: list[nn.Parameter]) -> str:
    """Return why `value` has no effect on any of the parameters; empty where it has one."""
    if not parameters:
        return "the routers have no trainable parameter"
    if not value.requires_grad:
        return "it does not depend on any trainable parameter"
    gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    if all(gradient is None or not gradient.any() for gradient in gradients):
        return "its gradient with respect to every router is zero"
    return ""


def report_reach(terms: Mapping[str, Tensor], network: nn.Module) -> None:
    """Warn, one line a loss, of every loss that moves no router, and say why."""
    for name, value in terms.items():
        reason = unreached(value, router_parameters(network))
        if reason:
            log.warning("loss %s has no effect on routing: %s", name, reason)
