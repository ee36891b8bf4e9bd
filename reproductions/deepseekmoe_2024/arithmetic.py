"""What follows from the paper's formulas and printed numbers. No training.

Source: Dai et al. 2024 (arXiv 2401.06066), sections 3.1 and 3.3, Tables 3 and 4, section 5.1.
"""

from math import comb
from types import SimpleNamespace

import torch
from torch import Tensor

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.moe import Sparse
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import Shared
from moebench.moe.losses import DeviceBalance, LoadBalance
from moebench.moe.routers import SoftmaxTopK
from moebench.training.cost import count_batch
from reproductions.deepseekmoe_2024.published import CONTEXT, FLOPS, MODEL_16B, ROUTED

GROUPS = 4  # devices


def combinations() -> dict[str, float]:
    """Return the numbers of sets that a token's experts can form, before and after the split."""
    return {"C(16, 2)": comb(16, 2), "C(64, 8)": comb(64, 8)}


def balance() -> dict[str, float]:
    """Return balance losses, unweighted, of uniform routing and of two kinds of imbalance.

    `expert/uniform@N',K'` for routed experts N' and picks K'. With 8 experts on 4 devices:
    `.../inside` where one of the two experts of each device has all of its tokens and probability,
    `.../across` where one device has all tokens and probability, its experts alike.
    """
    found = {}
    for experts, k in ROUTED:
        shift_TK = torch.arange(experts)[:, None] + torch.arange(k)
        even = _decision(torch.full((experts, experts), 1 / experts).double(), shift_TK % experts)
        found[f"expert/uniform@{experts},{k}"] = LoadBalance()(even).item()
    inside = _sure(torch.arange(0, 8, 2))
    across = _sure(torch.tensor([0, 1, 0, 1]))
    for name, loss in (("expert", LoadBalance()), ("device", DeviceBalance(GROUPS))):
        found[f"{name}/inside"] = loss(inside).item()
        found[f"{name}/across"] = loss(across).item()
    return found


def _sure(expert_T: Tensor) -> RoutingDecision:
    """Return the decision whose tokens are certain of their one expert of eight."""
    return _decision(torch.eye(8, dtype=torch.float64)[expert_T], expert_T[:, None])


def _decision(probs_TE: Tensor, expert_TK: Tensor) -> RoutingDecision:
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))


def compute() -> dict[str, float]:
    """Return the printed FLOPs of the 16B model in per cent of those of each dense model."""
    ours, *others = FLOPS
    return {f"of {name}": 100 * FLOPS[ours] / FLOPS[name] for name in others}


def size() -> dict[str, float]:
    """Return parameters and FLOPs of the 16B model, counted on the meta device.

    `teraflops` are those of a training step, three times a forward pass, over 4096 tokens.
    """
    shape = DecoderShape(
        width=MODEL_16B["width"],
        layers=MODEL_16B["layers"],
        heads=MODEL_16B["heads"],
        hidden=MODEL_16B["dense_hidden"],
        dense_layers=MODEL_16B["dense_layers"],
    )
    experts, hidden = MODEL_16B["routed"], MODEL_16B["expert_hidden"]
    with torch.device("meta"):
        model = RotaryDecoder(
            MODEL_16B["vocabulary"],
            shape,
            Sparse(
                lambda dim: SoftmaxTopK(dim, experts, MODEL_16B["k"]),
                lambda dim, number: SwiGLU(dim, number, hidden),
                every=1,
            ),
            shared=lambda dim: Shared(dim, MODEL_16B["shared"] * hidden),
        )
        input_BL = torch.empty(1, CONTEXT, dtype=torch.int64)
    cost = count_batch(model, SimpleNamespace(input_BL=input_BL, context_BL=None))
    return {
        "parameters": cost.params_total,
        "active parameters": cost.params_active,
        "teraflops": 3 * cost.flops_per_token * CONTEXT / 1e12,
    }
