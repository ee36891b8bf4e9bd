"""What follows from the formulas and the published figures, and what an untrained gate does.

Source: Shazeer et al. 2017 (arXiv 1701.06538), sections 2.1 and 5.1, appendices A, C.2 and F.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch import Grouped
from moebench.moe.experts import ReluMLP
from moebench.moe.layer import MoELayer
from moebench.moe.losses import ThresholdGap
from moebench.moe.losses.load import selection_probability
from moebench.moe.losses.variation import squared_variation
from moebench.moe.metrics import load
from moebench.moe.routers import Batchwise, NoisyTopK, SoftmaxTopK, TopK
from reproductions.shazeer_2017.published import BEST_PUBLISHED, TABLE_7

DIM, EXPERTS, K = 16, 16, 4
DRAWS = 100_000
SEEDS = range(1000, 1005)  # smaller seeds were used in trials


def published() -> dict[str, float]:
    """Return by how many per cent two models' published perplexities are lower."""
    low, high = TABLE_7["MoE-4096-h"], TABLE_7["MoE-143M"]
    return {
        "low cost, % lower": 100 * (1 - low / TABLE_7["MoE-4"]),
        "high cost, % lower": 100 * (1 - high / BEST_PUBLISHED),
    }


def load_estimator(tokens: int = 8) -> dict[str, float]:
    """Return the largest gap between P(x, i) and the frequency of expert i in the top k.

    The expert's own noise is drawn 100,000 times while that of the others is fixed; it is in the
    top k if fewer than k others are above it.
    """
    torch.manual_seed(0)
    router = _normal(NoisyTopK(DIM, EXPERTS, K).double(), std=0.5)
    decision = router(torch.randn(tokens, DIM, dtype=torch.float64))
    gaps = [
        (selection_probability(decision)[:, expert] - _share_kept(decision, expert)).abs().max()
        for expert in range(EXPERTS)
    ]
    return {"largest gap": torch.stack(gaps).max().item()}


def _share_kept(decision: RoutingDecision, expert: int) -> Tensor:
    """Return, for each token, the share of draws with an expert in the top k."""
    clean_T1 = decision.clean_TE[:, expert, None]  # type: ignore[attr-defined]
    spread_T1 = decision.spread_TE[:, expert, None]  # type: ignore[attr-defined]
    own_TN = clean_T1 + spread_T1 * torch.randn(len(clean_T1), DRAWS, dtype=torch.float64)
    others_TE = torch.cat([decision.logits_TE[:, :expert], decision.logits_TE[:, expert + 1 :]], 1)
    above_TN = torch.zeros_like(own_TN)
    for other_T in others_TE.unbind(dim=1):
        above_TN += other_T[:, None] > own_TN
    return (above_TN < K).double().mean(dim=1)


def first_step() -> dict[str, float]:
    """Return how even the load is of a gate that starts at zero, as in the paper."""
    return untrained_load(lambda router: router)


def first_step_normal() -> dict[str, float]:
    """Return the same for a gate with matrices drawn from N(0, 1)."""
    return untrained_load(_normal)


def untrained_load(
    start: Callable[[nn.Module], nn.Module], batches: int = 20, tokens: int = 512
) -> dict[str, float]:
    """Return CV(load)^2 of an untrained gate, and compare it with random choices.

    If k of E experts are drawn without replacement for each of T tokens, the mean of CV^2 is
    (E - k) / (k T). The distance from that is in standard errors over the batches.
    """
    by_lot = (EXPERTS - K) / (K * tokens)
    torch.manual_seed(0)
    router = start(NoisyTopK(DIM, EXPERTS, K))
    found = torch.stack(
        [squared_variation(load(router(torch.randn(tokens, DIM)))) for _ in range(batches)]
    )
    error = found.std() / batches**0.5
    return {
        "standard errors off the lot": ((found.mean() - by_lot) / error).abs().item(),
        "CV squared": found.mean().item(),
        "CV squared by lot": by_lot,
    }


def _normal(router: nn.Module, std: float = 1.0) -> nn.Module:
    """Return a router with matrices drawn from a normal distribution."""
    for parameter in router.parameters():
        nn.init.normal_(parameter, std=std)
    return router


def gate_gradient() -> dict[str, float]:
    """Return the norm of the task's gradient by the gate, with one and two experts per token."""
    rules: dict[str, Callable[[int, int, int], nn.Module]] = {
        "after the choice": TopK,
        "before the choice": SoftmaxTopK,
    }
    metrics = {}
    for name, rule in rules.items():
        for k in (1, 2):
            torch.manual_seed(0)
            layer = MoELayer(rule(DIM, EXPERTS, k), ReluMLP(DIM, EXPERTS, 32), Grouped())
            layer(torch.randn(64, DIM))[0].square().mean().backward()
            [gate] = layer.router.parameters()
            assert gate.grad is not None
            metrics[f"{name}, k = {k}"] = gate.grad.norm().item()
    return metrics


def batchwise_mask() -> dict[str, float]:
    """Train a strictly balanced gate five times; return the worst value of each metric."""
    return _worst(rate=3e-3)


def batchwise_mask_unlearnt() -> dict[str, float]:
    """Return the same without learning: thresholds and gate keep their initial values."""
    return _worst(rate=0.0)


def _worst(rate: float) -> dict[str, float]:
    found = [balanced_training(seed, rate) for seed in SEEDS]
    return {
        "variance of the load": max(one["variance of the load"] for one in found),
        "disagreement, first over last": min(one["first"] / one["last"] for one in found),
    }


def balanced_training(
    seed: int, rate: float, steps: int = 400, tokens: int = 256
) -> dict[str, float]:
    """Train a strictly balanced gate to fit a fixed function; return loads and disagreement.

    The disagreement is the share of (token, expert) pairs on which the two masks differ, before the
    first step and averaged over the last tenth of the steps. The variance of the load is that over
    experts, the largest of any step.
    """
    torch.manual_seed(seed)
    layer = MoELayer(Batchwise(DIM, EXPERTS, K), ReluMLP(DIM, EXPERTS, 32), Grouped())
    teacher_DD = torch.randn(DIM, DIM)
    optimizer = torch.optim.Adam(layer.parameters(), lr=rate)
    variances, disagreements = [], []
    for _ in range(steps):
        x_TD = torch.randn(tokens, DIM)
        y_TD, decision = layer(x_TD)
        assert isinstance(decision, BalancedDecision)
        task = (y_TD - (x_TD @ teacher_DD).sin()).square().mean()
        optimizer.zero_grad()
        (task + ThresholdGap()(decision)).backward()
        optimizer.step()
        variances.append(decision.expert_A.bincount(minlength=EXPERTS).double().var())
        disagreements.append(_disagreement(decision))
    return {
        "variance of the load": torch.stack(variances).max().item(),
        "first": disagreements[0].item(),
        "last": torch.stack(disagreements[-steps // 10 :]).mean().item(),
    }


def _disagreement(decision: BalancedDecision) -> Tensor:
    """Return the share of pairs on which the threshold mask and the batch mask differ."""
    taken_TE = torch.zeros_like(decision.probs_TE, dtype=torch.bool)
    taken_TE[decision.token_A, decision.expert_A] = True
    return (taken_TE != (decision.probs_TE > decision.threshold_E)).double().mean()
