"""Metrics of a routing decision: logged, never trained on.

Every metric takes a decision and returns a tensor without gradient. The load counts requests,
before capacity drops any; divide by its mean, 1 / E, to compare with an even split.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision


@torch.no_grad()
def load(decision: RoutingDecision) -> Tensor:
    """Return load_E, each expert's share of all requests; it sums to one."""
    count_E: Tensor = decision.requested_A.bincount(minlength=decision.num_experts)
    return count_E / max(1, decision.requested_A.numel())


def load_entropy(decision: RoutingDecision) -> Tensor:
    """Return the entropy of the load in nats: log E when even, zero when one expert has all."""
    entropy: Tensor = torch.special.entr(load(decision)).sum()
    return entropy


def load_entropy_bound(decision: RoutingDecision) -> float:
    """Return log E, the largest possible `load_entropy`, in nats."""
    return math.log(decision.num_experts)


def load_cv(decision: RoutingDecision) -> Tensor:
    """Return the coefficient of variation of the load: population deviation over mean."""
    return load(decision).std(correction=0) * decision.num_experts


@torch.no_grad()
def importance_cv(decision: RoutingDecision) -> Tensor:
    """Return the coefficient of variation of the experts' summed weights over the batch.

    Source: Shazeer et al. 2017 (arXiv 1701.06538), section 4, equation 6.
    """
    zero_E = decision.weight_A.new_zeros(decision.num_experts)
    importance_E = zero_E.index_add(0, decision.requested_A, decision.weight_A)
    tiny = torch.finfo(importance_E.dtype).tiny
    return importance_E.std(correction=0) / importance_E.mean().clamp_min(tiny)


def max_over_mean(decision: RoutingDecision) -> Tensor:
    """Return the load of the busiest expert over the mean load; one when even."""
    return load(decision).max() * decision.num_experts


def max_violation(decision: RoutingDecision) -> Tensor:
    """Return MaxVio, the busiest expert's excess over the mean load, relative to it.

    Source: Wang et al. 2024 (arXiv 2408.15664), equation 4.
    """
    return max_over_mean(decision) - 1


def dead_experts(decision: RoutingDecision) -> Tensor:
    """Return how many experts no token requested."""
    return (load(decision) == 0).sum()


@torch.no_grad()
def dropped(decision: RoutingDecision) -> Tensor:
    """Return the share of assignments dropped for lack of capacity; zero without assignments."""
    return (~decision.kept_A).double().sum() / max(1, decision.kept_A.numel())


@torch.no_grad()
def left_behind(decision: RoutingDecision) -> Tensor:
    """Return the share of tokens that no expert served; zero without tokens."""
    served_T = torch.zeros_like(decision.probs_TE[:, 0], dtype=torch.bool)
    served_T[decision.token_A[decision.kept_A]] = True
    return (~served_T).double().sum() / max(1, decision.num_tokens)


@torch.no_grad()
def confidence(decision: RoutingDecision) -> Tensor:
    """Return the mean over the tokens of the largest probability; 1 / E when undecided."""
    return decision.probs_TE.amax(dim=-1).sum() / max(1, decision.num_tokens)


METRICS: dict[str, Callable[[RoutingDecision], Tensor]] = {
    "confidence": confidence,
    "cv": load_cv,
    "dead": dead_experts,
    "dropped": dropped,
    "entropy": load_entropy,
    "importance_cv": importance_cv,
    "left_behind": left_behind,
    "max_over_mean": max_over_mean,
    "max_violation": max_violation,
}
