"""Metrics of a routing decision against values worked out by hand."""

import math

import pytest
import torch

from moebench.moe import metrics
from moebench.moe.decision import RoutingDecision, tokens_choose


def decide(experts: list[int], num_experts: int = 4, kept: list[int] | None = None):
    probs_TE = torch.full((len(experts), num_experts), 1 / num_experts)
    expert_T1 = torch.tensor(experts)[:, None]
    decision = tokens_choose(probs_TE.log(), probs_TE, expert_T1, probs_TE[:, :1])
    if kept is None:
        return decision
    return RoutingDecision(**{**vars(decision), "kept_A": torch.tensor(kept, dtype=torch.bool)})


EVEN = decide([0, 1, 2, 3, 0, 1, 2, 3])
COLLAPSED = decide([2] * 8)
MIXED = decide([0, 0, 0, 0, 1, 1, 2, 2])  # shares 1/2, 1/4, 1/4, 0


@pytest.mark.parametrize(
    ("decision", "name", "value"),
    [
        (EVEN, "entropy", math.log(4)),
        (COLLAPSED, "entropy", 0.0),
        (MIXED, "entropy", 1.5 * math.log(2)),
        (EVEN, "cv", 0.0),
        (COLLAPSED, "cv", math.sqrt(3)),  # sqrt(E - 1)
        (MIXED, "cv", math.sqrt(0.5)),  # deviations 1/4, 0, 0, -1/4; over a mean of 1/4
        (MIXED, "importance_cv", math.sqrt(0.5)),  # the same, as all weights are alike
        (COLLAPSED, "importance_cv", math.sqrt(3)),
        (EVEN, "max_over_mean", 1.0),
        (COLLAPSED, "max_over_mean", 4.0),
        (MIXED, "max_over_mean", 2.0),
        (MIXED, "max_violation", 1.0),
        (EVEN, "dead", 0),
        (COLLAPSED, "dead", 3),
        (MIXED, "dead", 1),
        (EVEN, "confidence", 0.25),
        (EVEN, "dropped", 0.0),
    ],
)
def test_by_hand(decision: RoutingDecision, name: str, value: float) -> None:
    assert metrics.METRICS[name](decision).item() == pytest.approx(value, abs=1e-6)


def test_importance_counts_weights_and_not_rows() -> None:
    # Expert 0 gets 3/4 once, the three others 1/4: deviations 3/8 and three times -1/8; all rows
    # were moved to it later.
    weight_A = torch.tensor([0.75, 0.25, 0.25, 0.25])
    moved = {"expert_A": torch.zeros(4, dtype=torch.int64), "original_expert_A": torch.arange(4)}
    decision = RoutingDecision(**{**vars(decide([0] * 4)), **moved, "weight_A": weight_A})
    expected = math.sqrt((9 + 1 + 1 + 1) / 64 / 4) / (3 / 8)
    assert metrics.importance_cv(decision).item() == pytest.approx(expected)
    assert metrics.load_cv(decision).item() == 0


def test_load_counts_before_dropping() -> None:
    dropped = decide([0, 0, 0, 1], kept=[1, 0, 0, 1])
    assert metrics.load(dropped).tolist() == [0.75, 0.25, 0.0, 0.0]
    assert metrics.dropped(dropped).item() == 0.5
    assert metrics.left_behind(dropped).item() == 0.5


def test_experts_are_dead_without_requests_not_without_kept_rows() -> None:
    assert metrics.dead_experts(decide([0, 1, 2, 2], kept=[1, 0, 0, 0])).item() == 1


def test_confidence_is_that_of_each_token() -> None:
    # 0.9 and 0.8, for different experts: 0.85, though the mean probabilities are even.
    probs_TE = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    expert_TK = torch.tensor([[0, 1], [1, 0]])
    decision = tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))
    assert metrics.confidence(decision).item() == pytest.approx(0.85)


def test_left_behind_counts_tokens_and_dropped_counts_assignments() -> None:
    probs_TE = torch.full((2, 2), 0.5)
    full = tokens_choose(probs_TE.log(), probs_TE, torch.tensor([[0, 1], [0, 1]]), probs_TE)
    # Rows are (0, 0), (1, 0), (0, 1), (1, 1): token 1 loses both, token 0 one.
    kept = torch.tensor([True, False, False, False])
    decision = RoutingDecision(**{**vars(full), "kept_A": kept})
    assert metrics.dropped(decision).item() == 0.75
    assert metrics.left_behind(decision).item() == 0.5


def test_metrics_carry_no_gradient() -> None:
    logits_TE = torch.randn(5, 4, requires_grad=True)
    probs_TE = logits_TE.softmax(-1)
    weight_T1, expert_T1 = probs_TE.max(-1, keepdim=True)
    decision = tokens_choose(logits_TE, probs_TE, expert_T1, weight_T1)
    assert not any(metric(decision).requires_grad for metric in metrics.METRICS.values())


@pytest.mark.parametrize("name", metrics.METRICS)
def test_metrics_are_finite_without_tokens(name: str) -> None:
    none_01 = torch.zeros(0, 1, dtype=torch.int64)
    decision = tokens_choose(torch.zeros(0, 4), torch.zeros(0, 4), none_01, torch.zeros(0, 1))
    value = metrics.METRICS[name](decision).item()
    assert math.isfinite(value)
    if name in {"dropped", "left_behind", "importance_cv", "cv"}:
        assert value == 0
