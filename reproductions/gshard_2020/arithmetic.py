"""What follows from the printed dimensions and figures. No training.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), Tables 1 to 3, sections 4.4, 4.5 and 5.
"""

import torch
from torch import nn

from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.t5_blocks import FeedForward
from moebench.moe import Sparse
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import GShard
from moebench.papers.printed import units_off
from moebench.training.cost import parameters
from reproductions.gshard_2020.published import (
    BLEU,
    HEAD_WIDTH,
    HEADS,
    HIDDEN,
    MODELS,
    TOKENS,
    VOCABULARIES,
    WIDTH,
)


def table_1() -> dict[str, float]:
    """Count experts and weights of the models of Table 1, on the meta device.

    For each model: `experts`, in all its layers; `weights`; and `weights off`, the distance from
    what is printed in units of its last digit, of which rounding explains up to a half.
    """
    metrics = {}
    for name, row in MODELS.items():
        weights = parameters(transformer(row.experts, row.layers))
        metrics[f"{name}, experts"] = float(row.experts * row.layers // 2)
        metrics[f"{name}, weights"] = float(weights)
        metrics[f"{name}, weights off"] = units_off(weights, row.weights)
    return metrics


def transformer(experts: int, layers: int) -> nn.Module:
    """Return all matrices of an encoder and a decoder with the dimensions of appendix A.2.

    Half of the layers belong to each, and every second has experts. Norms, of which the paper says
    nothing, would add less than a millionth.

    Args:
        experts: experts in a layer with experts.
        layers: layers of both together.
    """
    sparse = Sparse(
        lambda dim: GShard(dim, experts), lambda dim, number: ReluMLP(dim, number, HIDDEN)
    )
    with torch.device("meta"):
        parts: list[nn.Module] = [nn.Embedding(size, WIDTH) for size in VOCABULARIES]
        for layer in range(layers):
            decodes = layer >= layers // 2
            for _ in range(2 if decodes else 1):  # a decoder also attends to the encoder
                parts.append(GroupedQueryAttention(WIDTH, HEADS, head_width=HEAD_WIDTH))
            mixture = layer % 2 == 1
            parts.append(sparse.build(WIDTH) if mixture else FeedForward(WIDTH, HIDDEN, 0.0))
    return nn.ModuleList(parts)


def gains() -> dict[str, float]:
    """Return what four times the experts gain with 12 layers, in points of BLEU."""
    few, some, many = (BLEU[f"{experts}E-12L"] for experts in (128, 512, 2048))
    return {"128 to 512": some - few, "512 to 2048": many - some}


def depth() -> dict[str, float]:
    """Return how many times fewer tokens three times the depth needs to the same loss."""
    times = {name: shallow / deep for name, (shallow, deep) in TOKENS.items()}
    return {"least": min(times.values()), "most": max(times.values()), **times}


def growth() -> dict[str, float]:
    """Return how much the largest model exceeds that with 128 experts, of the same depth.

    `weights` are as counted, `core-years` as printed.
    """
    counted = table_1()
    large, small = MODELS["2048E-36L"], MODELS["128E-36L"]
    assert large.core_years is not None
    assert small.core_years is not None
    weights = counted["2048E-36L, weights"] / counted["128E-36L, weights"]
    return {"weights": weights, "core-years": large.core_years / small.core_years}
