"""The test of a trade-off: the cost at the high end, and what it buys."""

from collections.abc import Sequence

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run, runs, verdict_of
from moebench.verdict.front import Front

ARMS = ("w0", "w1", "w2")
FRONT = Front(weighted=ARMS, imbalance="imbalance", margin=0.02)
FALLING = (3.0, 2.0, 1.0)
NOISE = (0.0, 0.01, -0.01)  # of the seeds of the highest weight: sd 0.01


def along(loss: Sequence[float], imbalance: Sequence[float] = FALLING) -> list[RunRecord]:
    """Three seeds per weight; differences from the highest weight have an sd of 0.01."""
    records = []
    for place, arm in enumerate(ARMS):
        for seed, noise in enumerate(NOISE):
            of_last = noise if arm == ARMS[-1] else 0.0
            metrics = {"imbalance": imbalance[place] + noise * place}
            records.append(run(arm, seed, loss[place] + of_last, metrics=metrics))
    return records


@pytest.mark.parametrize(
    ("loss", "imbalance", "word"),
    [
        ((3.0, 3.0, 3.1), FALLING, VerdictLabel.REPRODUCED),
        ((3.3, 3.0, 3.1), FALLING, VerdictLabel.REPRODUCED),  # no balance at all is worst
        ((3.0, 3.0, 3.1), (3.0, 1.0, 1.1), VerdictLabel.PARTIAL),  # the price buys nothing
        ((3.1, 3.1, 3.0), FALLING, VerdictLabel.NOT_REPRODUCED),  # balance costs nothing
        ((3.0, 3.0, 3.0), FALLING, VerdictLabel.INCONCLUSIVE),  # so few seeds cannot tell
        ((3.0, 3.0, 2.99), FALLING, VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_words(loss: Sequence[float], imbalance: Sequence[float], word: VerdictLabel) -> None:
    assert verdict_of(FRONT, along(loss, imbalance)).verdict is word


def test_the_cost_is_relative_to_the_best_weight_and_corrected_for_all() -> None:
    """With two degrees of freedom p = 1 - t / sqrt(2 + t^2); half the margin must be exceeded."""
    found = verdict_of(FRONT, along((3.05, 3.0, 3.1)))
    assert found.effect == pytest.approx(0.1)
    t = (0.1 - 0.01) / (0.01 / 3**0.5)
    assert found.p == pytest.approx(2 * (1 - t / (2 + t * t) ** 0.5), rel=1e-6)


def test_the_imbalance_that_does_not_fall_is_named() -> None:
    found = verdict_of(FRONT, along((3.0, 3.0, 3.1), (3.0, 1.0, 1.1)))
    assert "w2 has a lower imbalance than w1" in found.why
    assert found.measured["w1"]["imbalance"] == pytest.approx(1.0)


def test_every_weight_must_cost_what_the_highest_costs() -> None:
    assert FRONT.pairs == [("w2", "w0"), ("w2", "w1")]


def test_a_front_has_two_weights() -> None:
    with pytest.raises(ValueError, match="needs at least two weights"):
        Front(weighted=("w0",), imbalance="imbalance")


def test_equal_weights_seldom_show_a_cost() -> None:
    """The best of the others is partly best by chance, which must not count as a cost."""
    rng = np.random.default_rng(0)
    test = Front(weighted=ARMS, imbalance="valid/loss", margin=0.001)
    worlds = 400
    seen = 0
    for _ in range(worlds):
        records = runs(**{arm: rng.standard_normal(3) for arm in ARMS})
        seen += verdict_of(test, records).verdict in (VerdictLabel.REPRODUCED, VerdictLabel.PARTIAL)
    assert seen / worlds <= 0.05
