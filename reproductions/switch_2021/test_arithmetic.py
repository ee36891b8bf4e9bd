"""The balance loss in numbers, against values worked out by hand and against brute force."""

from itertools import combinations

import numpy as np
import pytest
import torch

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.switch_2021.arithmetic import balance_loss, balance_minimum, best_probabilities
from reproductions.switch_2021.paper import ARITHMETIC, SEARCHED, SIZES


def test_balance_loss_by_hand() -> None:
    metrics = balance_loss()
    assert len(metrics) == 4 * len(SIZES)
    assert metrics["uniform/value@8"] == pytest.approx(0.01)
    assert metrics["uniform/gradient@8"] == pytest.approx(0.0, abs=1e-15)
    # f = P = (1, 0, ...): alpha * N; the gradient by P_1 is alpha * N * f_1.
    assert metrics["collapsed/value@8"] == pytest.approx(0.08)
    assert metrics["collapsed/gradient@8"] == pytest.approx(0.08)


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return balance_minimum()


def test_uniform_routing_is_not_the_minimum(found: dict[str, float]) -> None:
    assert found["by_hand"] == pytest.approx(2 * (0.75 * 0.375 + 0.25 * 0.625))
    # Two experts with loads a > 1/2 and 1 - a: at best a + 2 (1 - a)^2, smallest at a = 3/4.
    assert found["minimum@2"] == pytest.approx(0.875)
    assert all(found[f"minimum@{n}"] <= found["minimum@2"] + 1e-12 for n in SEARCHED)


def test_best_probabilities_against_all_corners() -> None:
    # The corners of the feasible set are the uniform distributions over sets that contain j.
    rng = np.random.default_rng(0)
    for _ in range(20):
        load_E = rng.dirichlet(np.ones(4))
        rows = best_probabilities(load_E)
        for j, row in enumerate(rows):
            others = [i for i in range(4) if i != j]
            sets = [[j, *more] for size in range(4) for more in combinations(others, size)]
            assert row @ load_E == pytest.approx(min(load_E[s].mean() for s in sets))
            assert row.sum() == pytest.approx(1)
            assert row.argmax() == j or row[j] == pytest.approx(row.max())


def test_no_random_routing_is_below_the_minimum_for_two_experts() -> None:
    torch.manual_seed(0)
    for _ in range(200):
        probs_TE = torch.rand(8, 2, dtype=torch.float64).softmax(dim=-1)
        load_E = torch.nn.functional.one_hot(probs_TE.argmax(dim=-1), 2).double().mean(dim=0)
        assert 2 * (load_E * probs_TE.mean(dim=0)).sum() >= 0.875


def test_verdicts_show_what_was_found_beside_what_is_stated(found: dict[str, float]) -> None:
    records = [run("balance_loss", metrics=balance_loss()), run("balance_minimum", metrics=found)]
    value, minimum = judge(ARITHMETIC, records, "full")
    assert value.verdict is VerdictLabel.REPRODUCED
    assert (minimum.verdict, minimum.effect) == (VerdictLabel.NOT_REPRODUCED, pytest.approx(0.4))
    assert "minimum@8 is 0.4, stated at least 1" in minimum.why
