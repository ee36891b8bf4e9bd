"""One block of transformers as a layer here: the same weights, the same answers."""

from typing import Any

import torch
from torch import Tensor, nn

from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.experts.relu_mlp import ReluMLP
from moebench.moe.experts.swiglu import SwiGLU
from moebench.moe.layer import MoELayer
from moebench.moe.routers.switch import Switch
from moebench.moe.routers.top_k import SoftmaxTopK, TopK

GATED = ("MixtralSparseMoeBlock", "OlmoeSparseMoeBlock", "Qwen3MoeSparseMoeBlock")
SWITCH = "SwitchTransformersSparseMLP"


def layer_from(module: nn.Module) -> MoELayer:
    """Return a layer with copies of the weights of a mixture of transformers.

    Nothing is dropped: the room of Switch's experts there, a fixed number of rows of a sequence, is
    no property of the weights.

    Args:
        module: a block of Mixtral, OLMoE, Qwen3-MoE or Switch Transformers.

    Raises:
        ValueError: for any other module.
    """
    name = type(module).__name__
    if name in GATED:
        return _gated(module)
    if name == SWITCH:
        return _switch(module)
    known = ", ".join([*GATED, SWITCH])
    raise ValueError(f"module={name}: no mixture that can be taken over; one of {known}")


def _gated(module: Any) -> MoELayer:
    """Return a layer of gated experts."""
    gate, experts = module.gate, module.experts
    count, dim = gate.weight.shape
    sums_to_one = getattr(gate, "norm_topk_prob", True)  # Mixtral's always do
    router = (TopK if sums_to_one else SoftmaxTopK)(dim, count, gate.top_k)
    ours = SwiGLU(dim, count, experts.down_proj.shape[-1])
    _copy(router.score.weight, gate.weight)
    _copy(ours.gate_up_EDF, experts.gate_up_proj.transpose(1, 2))
    _copy(ours.down_EFD, experts.down_proj.transpose(1, 2))
    return MoELayer(router, ours, Grouped()).to(experts.down_proj.dtype)


def _switch(module: Any) -> MoELayer:
    """Return a layer of the Switch kind."""
    router, experts = module.router, list(module.experts.values())
    dim, hidden = experts[0].wi.in_features, experts[0].wi.out_features
    choose = Switch(dim, len(experts), router.jitter_noise)
    ours = ReluMLP(dim, len(experts), hidden, experts[0].dropout.p)
    _copy(choose.score.weight, router.classifier.weight)
    _copy(ours.up_EDF, torch.stack([expert.wi.weight.T for expert in experts]))
    _copy(ours.down_EFD, torch.stack([expert.wo.weight.T for expert in experts]))
    return MoELayer(choose, ours, Grouped())


def _copy(place: Tensor, value: Tensor) -> None:
    with torch.no_grad():
        place.copy_(value)
