"""Third-party kernels, used from their own packages; each is optional.

Source: Liger-Kernel; SonicMoE, Guo et al. 2025 (arXiv 2512.14080); ScatterMoE, Tan et al. 2024
(arXiv 2403.08245); MegaBlocks, Gale et al. 2022 (arXiv 2211.15841).
"""

from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.items import needs
from benchmarks.gpu.mixture import Batched, Mixture, Routed, loaded


def liger(mixture: Mixture) -> nn.Module:
    """Return liger-kernel's fused experts behind our router."""
    needs("liger_kernel", "triton")
    from liger_kernel.ops import LigerFusedMoEFunction

    experts = nn.ParameterDict(
        {"gate_up": nn.Parameter(mixture.gate_up_EFD), "down": nn.Parameter(mixture.down_EDF)}
    )

    def call(held: Any, x_TD: Tensor, expert_TK: Tensor, weight_TK: Tensor) -> Tensor:
        answer: Tensor = LigerFusedMoEFunction.apply(
            x_TD, held["gate_up"], held["down"], expert_TK.int(), weight_TK
        )
        return answer

    return Routed(mixture.router, experts, call)


def sonic(mixture: Mixture) -> nn.Module:
    """Return sonic-moe's block, which interleaves the rows of gate and up."""
    needs("sonicmoe", "quack")
    from sonicmoe import MoE
    from sonicmoe.enums import ActivationType

    shape = mixture.shape
    block = MoE(
        num_experts=shape.experts,
        num_experts_per_tok=shape.k,
        hidden_size=shape.dim,
        intermediate_size=shape.hidden,
        activation_function=ActivationType.SWIGLU,
        add_bias=False,
        std=0.02,
    )
    alternating = torch.stack(mixture.gate_up_EFD.chunk(2, dim=1), dim=2).flatten(1, 2)
    names = {
        "router.weight": mixture.router.score.weight,
        "c_fc.weight": alternating,
        "c_proj.weight": mixture.down_EDF,
    }
    return loaded(block, names)


def scattermoe(mixture: Mixture) -> nn.Module:
    """Return ScatterMoE's experts behind our router; they have up first, then gate."""
    needs("scattermoe", "triton")
    from scattermoe.mlp import GLUMLP

    shape = mixture.shape
    experts = GLUMLP(shape.dim, shape.hidden, shape.experts, shape.k, activation=nn.SiLU())
    gate_EFD, up_EFD = mixture.gate_up_EFD.chunk(2, dim=1)
    names = {
        "experts.weight": torch.cat([up_EFD, gate_EFD], dim=1),
        "output_experts.weight": mixture.down_EDF,
    }

    def call(held: nn.Module, x_TD: Tensor, expert_TK: Tensor, weight_TK: Tensor) -> Tensor:
        answer: Tensor = held(x_TD, weight_TK, expert_TK)
        return answer

    return Routed(mixture.router, loaded(experts, names), call)


def megablocks(mixture: Mixture) -> nn.Module:
    """Return MegaBlocks' dropless block with grouped products."""
    needs("megablocks", "grouped_gemm")
    from megablocks.layers.arguments import Arguments
    from megablocks.layers.dmoe import dMoE

    shape = mixture.shape
    block = dMoE(
        Arguments(
            hidden_size=shape.dim,
            ffn_hidden_size=shape.hidden,
            moe_num_experts=shape.experts,
            moe_top_k=shape.k,
            moe_normalize_expert_weights=1,
            activation_fn=nn.functional.silu,
            mlp_type="glu",
            mlp_impl="grouped",
            bias=False,
            return_bias=False,
            fp16=False,
            bf16=True,
        )
    )
    gate_EFD, up_EFD = mixture.gate_up_EFD.chunk(2, dim=1)
    names = {
        "router.layer.weight": mixture.router.score.weight,
        "experts.mlp.w1": gate_EFD.flatten(0, 1),
        "experts.mlp.v1": up_EFD.flatten(0, 1),
        "experts.mlp.w2": mixture.experts.down_EFD.flatten(0, 1),
    }
    return Batched(loaded(block, names))
