"""Settings that plans of papers have in common."""

import pytest

from moebench.papers.settings import SMOKE, losses, steps


def test_steps_by_hand() -> None:
    assert steps(1600, validations=16) == {
        "trainer.max_steps": 1600,
        "trainer.val_check_interval": 100,
    }
    assert {**steps(4, validations=2), "trainer.log_every_n_steps": 1} == SMOKE


def test_a_last_validation_before_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="validations=3: must divide the number of steps, 10"):
        steps(10, validations=3)


def test_losses_by_hand() -> None:
    terms = [{"loss": "Importance", "weight": 0.1}, {"loss": "Load", "weight": 0.0}]
    assert losses(Importance=0.1, Load=0.0) == {"model.losses": terms}
    assert losses() == {"model.losses": []}
