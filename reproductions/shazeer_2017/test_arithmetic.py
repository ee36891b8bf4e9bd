"""What functions compute: untrained gates, gates with known loads, and the worst of several."""

import math

import numpy as np
import pytest

from reproductions.shazeer_2017 import arithmetic
from reproductions.shazeer_2017.arithmetic import (
    batchwise_mask,
    first_step_normal,
    gate_gradient,
    untrained_load,
)
from reproductions.shazeer_2017.known_loads import by_lot_1
from reproductions.shazeer_2017.known_loads import collapsed as collapsed_gate
from reproductions.shazeer_2017.tables import BY_LOT


def test_the_gate_gets_no_gradient_with_a_single_expert() -> None:
    metrics = gate_gradient()
    assert metrics.pop("after the choice, k = 1") == 0.0 < 1e-3 < min(metrics.values())


def test_the_worst_training_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = iter(
        {"variance of the load": variance, "first": 0.8, "last": last}
        for variance, last in ((0.0, 0.1), (2.0, 0.2), (0.0, 0.4), (0.0, 0.1), (1.0, 0.1))
    )
    monkeypatch.setattr(arithmetic, "balanced_training", lambda seed, rate: next(trainings))
    worst = {"variance of the load": 2.0, "disagreement, first over last": 2.0}
    assert batchwise_mask() == worst


def test_without_learning_the_masks_do_not_come_to_agree() -> None:
    found = arithmetic.balanced_training(1000, rate=0.0, steps=40)
    assert found["first"] == pytest.approx(found["last"], rel=0.15)


def test_the_first_step_is_compared_with_random_choices() -> None:
    zero = untrained_load(lambda router: router, batches=200)
    # (E - k) / (k T) = 12 / 2048; 200 batches know it to a few per cent.
    assert zero["CV squared by lot"] == pytest.approx(12 / 2048)
    assert zero["CV squared"] == pytest.approx(12 / 2048, rel=0.1)
    normal = first_step_normal()
    assert normal["CV squared"] > 1.5 * 12 / 2048
    assert normal["standard errors off the lot"] > 5


def test_the_loads_of_the_controls_are_known() -> None:
    """Two of 32 experts with all tokens: CV = sqrt(32 / 2 - 1), and 16 times the mean."""
    for one in collapsed_gate().values():
        assert one["route/cv"] == pytest.approx(math.sqrt(15), rel=1e-6)
        assert one["route/max_over_mean"] == pytest.approx(16.0)
        assert one["last_tenth/route/cv"] == one["route/cv"]
    lots = [one["route/cv"] for one in by_lot_1().values()]
    assert np.mean(lots) == pytest.approx(BY_LOT, rel=0.05)
