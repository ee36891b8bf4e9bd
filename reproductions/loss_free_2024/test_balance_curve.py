"""MaxVio of single batches and of all together, by hand."""

from types import SimpleNamespace

import pytest
import torch

from moebench.moe.decision import RoutingDecision, tokens_choose
from reproductions.loss_free_2024.balance_curve import (
    BalanceCurve,
    at_the_end,
    by_chance,
    violation,
)


def asking(*experts: int) -> RoutingDecision:
    scores_TE = torch.zeros(len(experts), 4)
    expert_T1 = torch.tensor(experts)[:, None]
    return tokens_choose(scores_TE, scores_TE.softmax(-1), expert_T1, torch.ones(len(experts), 1))


def test_violation_by_hand() -> None:
    """A mean of 2: 5 is 1.5 above it, relative to it; 2 is not above it; 4 is 1 above."""
    count_LE = torch.tensor([[5.0, 2.0, 1.0, 0.0], [2.0, 2.0, 2.0, 2.0], [4.0, 4.0, 0.0, 0.0]])
    assert violation(count_LE) == pytest.approx((1.5 + 0 + 1) / 3)


def test_chance_falls_with_the_root_of_the_requests() -> None:
    few, many = by_chance(16, 1600), by_chance(16, 160_000)
    # Largest of 16 normals: 1.766 standard deviations of sqrt(16 / 1600) = 0.1.
    assert few == pytest.approx(0.1766, rel=0.1)
    assert few / many == pytest.approx(10, rel=0.15)


def test_uneven_batches_that_cancel_leave_nothing() -> None:
    """Each batch has all requests on one half of the experts, in turn; together they are even."""
    half = [600.0] * 2 + [0.0] * 2
    other = half[::-1]
    found = at_the_end(torch.tensor([[half], [other]]).double())
    assert (found["batch"], found["global"]) == (1.0, 0.0)
    assert found["left"] < 0
    found = at_the_end(torch.tensor([[half], [half]]).double())
    assert found["left"] == pytest.approx(1.0, abs=0.02)


def test_it_logs_after_every_validation_and_more_after_the_last() -> None:
    logged: list[dict[str, float]] = []
    logger = SimpleNamespace(log_metrics=lambda values, step: logged.append(values))
    trainer = SimpleNamespace(global_step=1, max_steps=2, loggers=[logger])
    curve = BalanceCurve()
    for step in (1, 2):
        trainer.global_step = step
        curve.on_validation_start(trainer, None)
        for experts in ((0, 0, 1, 1), (2, 2, 3, 3)):
            decisions = [asking(*experts), asking(0, 1, 2, 3)]
            curve.on_validation_batch_end(trainer, None, {"decisions": decisions}, None, 0)
        curve.on_validation_end(trainer, None)
    first, last = logged
    # In the first layer a batch has MaxVio 1 and both have 0; in the second all have 0.
    assert first == {"analysis/balance/batch@1": 0.5}
    assert last["analysis/balance/batch@2"] == last["analysis/balance/batch"] == 0.5
    assert last["analysis/balance/global"] == 0.0


def test_a_model_without_mixtures_has_no_curve() -> None:
    curve = BalanceCurve()
    curve.on_validation_batch_end(None, None, {"decisions": []}, None, 0)
    curve.on_validation_end(None, None)
    assert not curve.counts
