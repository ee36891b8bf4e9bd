"""What the gate does, on random tokens: the second expert, groups and capacity, and its loss.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), section 2.2 and algorithm 1.
"""

from functools import partial

import torch
from torch import Tensor, nn

from moebench.moe import Capacity, Limited, MoELayer
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch import Buffers
from moebench.moe.experts import ReluMLP
from moebench.moe.losses import FirstChoiceBalance
from moebench.moe.routers import GShard, TopK
from reproductions.gshard_2020.claims_computed import SIZES

EXPERTS = 8
TOKENS, BINS = 100_000, 10  # so the rate of a bin has a standard error of 0.005 at most
NUM, GROUPS = 4096, 4  # tokens N and groups G
CAPACITY = 2 * NUM // (GROUPS * EXPERTS)


def dispatch_rate(router: type[nn.Module]) -> dict[str, float]:
    """Compare how often a second expert is dispatched with min(1, 2 g2), in bins of equal size."""
    torch.manual_seed(0)
    gate = router(EXPERTS, EXPERTS).train()
    logits_TE = torch.randn(TOKENS, EXPERTS)
    nn.init.eye_(gate.get_parameter("score.weight"))
    rows_T = gate(logits_TE).token_A.bincount(minlength=TOKENS)
    top_T2 = logits_TE.topk(2, dim=-1).values
    chance_T = (2 * top_T2.softmax(dim=-1)[:, 1]).clamp(max=1.0)
    gaps_T = ((rows_T == 2).double() - chance_T)[chance_T.argsort()]
    return {"largest gap": gaps_T.view(BINS, -1).mean(dim=1).abs().max().item()}


second_at_random = partial(dispatch_rate, GShard)
second_always = partial(dispatch_rate, TopK)


@torch.no_grad()
def groups() -> dict[str, float]:
    """Route tokens that crowd on a few experts, and return exact counts of what becomes of them.

    * `rows over capacity` and `fullest`: of any expert in any group;
    * `overflowed tokens`, those that no expert takes, and the largest number in `their output`;
    * `first choices behind second ones`: experts that refuse the one and take the other;
    * `rows changed by another group`: what new tokens in the first group change in the others.
    """
    torch.manual_seed(0)
    capacity = Capacity(factor=2.0, group=NUM // GROUPS)
    router = Limited(EXPERTS, lambda dim: GShard(dim, EXPERTS), capacity).train()
    nn.init.eye_(router.get_parameter("router.score.weight"))
    layer = MoELayer(router, ReluMLP(EXPERTS, EXPERTS, 16), Buffers())
    x_TD = torch.randn(NUM, EXPERTS) + torch.linspace(3.0, 0.0, EXPERTS)
    y_TD, decision = _routed(layer, x_TD)
    kept_GE = _count(decision, decision.kept_A)
    tokens_T = decision.token_A[decision.kept_A].bincount(minlength=NUM)
    first_A = torch.arange(decision.token_A.numel()) < NUM
    refused_GE = _count(decision, first_A & ~decision.kept_A)
    taken_GE = _count(decision, ~first_A & decision.kept_A)

    other_TD = x_TD.clone()
    other_TD[: NUM // GROUPS] = torch.randn(NUM // GROUPS, EXPERTS)
    later, changed = (_kept_later(one) for one in (decision, _routed(layer, other_TD)[1]))
    return {
        "rows over capacity": (kept_GE - CAPACITY).clamp(min=0).sum().item(),
        "fullest": kept_GE.max().item(),
        "overflowed tokens": (tokens_T == 0).sum().item(),
        "their output": y_TD[tokens_T == 0].abs().max().item(),
        "first choices behind second ones": ((refused_GE > 0) & (taken_GE > 0)).sum().item(),
        "rows changed by another group": len(later ^ changed),
    }


def _routed(layer: MoELayer, x_TD: Tensor) -> tuple[Tensor, RoutingDecision]:
    """Return answers and decision, with the same random numbers in each call."""
    torch.manual_seed(1)
    y_TD, decision = layer(x_TD)
    return y_TD, decision


def _count(decision: RoutingDecision, some_A: Tensor) -> Tensor:
    """Return how many of some rows each expert has in each group."""
    group_A = decision.token_A // (NUM // GROUPS)
    number_A = group_A * EXPERTS + decision.expert_A
    return number_A[some_A].bincount(minlength=GROUPS * EXPERTS).view(GROUPS, EXPERTS)


def _kept_later(decision: RoutingDecision) -> set[tuple[int, int]]:
    """Return token and expert of all rows that are kept in any group but the first."""
    kept_A = decision.kept_A & (decision.token_A >= NUM // GROUPS)
    pairs = (one[kept_A].tolist() for one in (decision.token_A, decision.expert_A))
    return set(zip(*pairs, strict=True))


def auxiliary_loss() -> dict[str, float]:
    """Return the loss for uniform and for collapsed routing, and what second choices change.

    For each number of experts E: `uniform@E`, where each expert is the first choice of two tokens
    that are undecided; `collapsed@E`, where the first expert has all tokens and all probability;
    and `moved@E`, how much the first value changes when all second choices move to one expert.
    """
    metrics = {}
    for n in SIZES:
        even_TE = torch.full((2 * n, n), 1 / n, dtype=torch.float64)
        first_T = torch.arange(2 * n) % n
        uniform = _loss(even_TE, first_T, (first_T + 1) % n)
        metrics[f"uniform@{n}"] = uniform
        metrics[f"moved@{n}"] = _loss(even_TE, first_T, first_T.eq(0).long()) - uniform
        zero_T = torch.zeros_like(first_T)
        one_TE = torch.eye(n, dtype=torch.float64)[zero_T]
        metrics[f"collapsed@{n}"] = _loss(one_TE, zero_T, zero_T + 1)
    return metrics


def _loss(probs_TE: Tensor, first_T: Tensor, second_T: Tensor) -> float:
    """Return the auxiliary loss of tokens with these choices."""
    expert_T2 = torch.stack([first_T, second_T], dim=1)
    decision = tokens_choose(probs_TE.log(), probs_TE, expert_T2, probs_TE.gather(1, expert_T2))
    return float(FirstChoiceBalance()(decision))
