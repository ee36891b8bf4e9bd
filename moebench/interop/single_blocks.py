"""Turns one Hugging Face block into an MoE layer.

Blocks are recognised by the name of their class, so that transformers need not be installed.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.experts.shared import GatedShared, Shared
from moebench.moe.layer import MoELayer
from moebench.moe.routers import BiasedTopK, GroupLimited, SigmoidTopK, SoftmaxTopK, Switch, TopK
from moebench.papers.nearest import nearest


def layer_from(module: nn.Module, length: int | None = None) -> MoELayer:
    """Return a layer with a copy of a block's weights, in the block's mode and dtypes.

    What a block keeps in float32, such as the bias of a router, stays in float32. The layer takes
    x_TD, the tokens of all sequences one after the other.

    Args:
        module: a mixture of Mixtral, OLMoE, Qwen2-MoE, Qwen3-MoE, DeepSeek-V2 or V3, GLM-4,
            dots1, MiniMax-M2, Hunyuan, Granite, ERNIE 4.5, or Switch.
        length: tokens of a sequence, which share a capacity in Switch; None: all tokens of a batch
            share it.

    Raises:
        ValueError: if the block is none of these, or has a feature that is not supported.
    """
    name = type(module).__name__
    if name not in BLOCKS:
        raise ValueError(f"{name}: not a supported block; {nearest(name, BLOCKS)}")
    block: Any = module
    with torch.no_grad():
        layer = _switch(block, length) if name == SWITCH else _swiglu(block, BLOCKS[name])
    return layer.train(module.training)


def _swiglu(block: Any, router: Callable[[Any, int], nn.Module]) -> MoELayer:
    """Return a layer of SwiGLU experts, with shared ones if the block has some."""
    gate_up, down = block.experts.gate_up_proj, block.experts.down_proj
    activation = type(block.experts.act_fn).__name__
    if activation not in ("SiLU", "SiLUActivation"):
        raise ValueError(f"{type(block).__name__}: its activation is {activation}, must be SiLU")
    num_experts, dim, hidden = down.shape
    experts = SwiGLU(dim, num_experts, hidden)
    experts.gate_up_EDF = _copy(gate_up.transpose(1, 2))
    experts.down_EFD = _copy(down.transpose(1, 2))
    gate = block.router if hasattr(block, "router") else block.gate
    ours: Any = router(gate, dim)
    ours.score.weight = _copy(gate.wg.weight if hasattr(gate, "wg") else gate.weight)
    if hasattr(ours, "bias_E"):
        ours.bias_E = _copy(_bias(block)).data.flatten()
    return MoELayer(ours, experts, Grouped(), _shared(block, dim))


def _bias(block: Any) -> Tensor:
    """Return the bias in the choice of a block, wherever the block keeps it."""
    state: dict[str, Tensor] = block.state_dict(keep_vars=True)
    return next(tensor for name, tensor in state.items() if name.endswith(BIAS))


def _shared(block: Any, dim: int) -> Shared | GatedShared | None:
    """Return the shared experts of a block, None if it has none."""
    if hasattr(block, "shared_expert"):
        gated = GatedShared(dim, block.shared_expert.down_proj.in_features)
        gated.gate.weight = _copy(block.shared_expert_gate.weight)
        _dense(gated.shared.expert, block.shared_expert)
        return gated
    theirs = getattr(block, "shared_experts", getattr(block, "shared_mlp", None))
    if theirs is None:
        return None
    shared = Shared(dim, theirs.down_proj.in_features)
    _dense(shared.expert, theirs)
    return shared


def _dense(expert: SwiGLU, theirs: Any) -> None:
    """Copy the three matrices of a dense block."""
    both: Tensor = torch.cat([theirs.gate_proj.weight, theirs.up_proj.weight])
    expert.gate_up_EDF = _copy(both.T[None])
    expert.down_EFD = _copy(theirs.down_proj.weight.T[None])


def _switch(block: Any, length: int | None) -> MoELayer:
    """Return a layer of ReLU experts with the block's capacity per sequence."""
    theirs = [block.experts[f"expert_{n}"] for n in range(len(block.experts))]
    activation = type(theirs[0].act).__name__
    if activation != "ReLU":
        raise ValueError(f"{type(block).__name__}: its activation is {activation}, must be ReLU")
    if block.router.classifier.bias is not None:
        raise ValueError(f"{type(block).__name__}: a bias of the router is not supported")
    hidden, dim = theirs[0].wi.weight.shape
    experts = ReluMLP(dim, len(theirs), hidden, theirs[0].dropout.p)
    experts.up_EDF = _copy(torch.stack([expert.wi.weight.T for expert in theirs]))
    # In float16 theirs keeps the second matrix in float32; ours has one dtype for both.
    down_EFD = torch.stack([expert.wo.weight.T for expert in theirs])
    experts.down_EFD = _copy(down_EFD.to(experts.up_EDF.dtype))
    # With so small a factor the minimum decides, as theirs does not grow with the text.
    capacity = Capacity(factor=1e-6, minimum=block.router.expert_capacity, group=length)
    router: Any = Limited(
        dim, lambda width: Switch(width, len(theirs), block.router.jitter_noise), capacity
    )
    router.router.score.weight = _copy(block.router.classifier.weight)
    return MoELayer(router, experts, Grouped())


def _copy(tensor: Tensor) -> nn.Parameter:
    """Return a copy as a parameter of the same dtype on the same device."""
    return nn.Parameter(tensor.detach().clone(memory_format=torch.contiguous_format))


def _top_k(gate: Any, dim: int) -> nn.Module:
    """Return the router of Mixtral, or of blocks that may not normalise the weights."""
    if getattr(gate, "norm_topk_prob", True):
        return TopK(dim, gate.num_experts, gate.top_k)
    return SoftmaxTopK(dim, gate.num_experts, gate.top_k)


def _group_limited(gate: Any, dim: int) -> nn.Module:
    """Return the router of DeepSeek-V2."""
    greedy = gate.topk_method == "greedy"
    groups, kept = (1, 1) if greedy else (gate.num_group, gate.topk_group)
    factor = gate.routed_scaling_factor
    return GroupLimited(dim, gate.num_experts, gate.top_k, groups, kept, factor)


def _biased(gate: Any, dim: int) -> nn.Module:
    """Return the router of ERNIE 4.5."""
    return BiasedTopK(dim, gate.num_experts, gate.top_k)


def _sigmoid_alone(gate: Any, dim: int) -> nn.Module:
    """Return the router of MiniMax-M2."""
    return SigmoidTopK(dim, gate.num_experts, gate.top_k)


def _sigmoid(gate: Any, dim: int) -> nn.Module:
    """Return the router of DeepSeek-V3."""
    return SigmoidTopK(
        dim,
        gate.num_experts,
        gate.top_k,
        gate.num_group,
        gate.topk_group,
        gate.routed_scaling_factor,
        gate.norm_topk_prob,
    )


BIAS = "e_score_correction_bias"  # end of its name
SWITCH = "SwitchTransformersSparseMLP"
BLOCKS: dict[str, Callable[[Any, int], nn.Module]] = {  # class of the block -> maker of its router
    "MixtralSparseMoeBlock": _top_k,
    "OlmoeSparseMoeBlock": _top_k,
    "Qwen2MoeSparseMoeBlock": _top_k,
    "Qwen3MoeSparseMoeBlock": _top_k,
    "DeepseekV2Moe": _group_limited,
    "DeepseekV3MoE": _sigmoid,
    "Dots1MoE": _sigmoid,
    "Glm4MoeMoE": _sigmoid,
    "MiniMaxM2SparseMoeBlock": _sigmoid_alone,
    "HunYuanMoEV1Moe": _top_k,
    "GraniteMoeMoE": _top_k,
    "GraniteMoeSharedMoE": _top_k,
    "Ernie4_5_MoeSparseMoeBlock": _biased,
    SWITCH: _top_k,
}
