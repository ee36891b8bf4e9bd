"""Shares of the variance, for functions whose shares are known."""

from collections.abc import Callable, Mapping

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial

from moebench.sweeps.parameter_importance import shares
from moebench.sweeps.space import Dimension
from moebench.sweeps.strategies import QUASI_RANDOM, draw

SPACE = (
    Dimension("weight", ("x",), low=1e-4, high=1.0, log=True),
    Dimension("factor", ("y",), low=0.0, high=1.0),
)
DISTRIBUTIONS = {d.name: FloatDistribution(d.low, d.high, log=d.log) for d in SPACE}


def shares_of(function: Callable[[bool, bool], float]) -> Mapping[str, float]:
    """Return the shares of two parameters; the function sees which half of its range each is in."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    points = draw(QUASI_RANDOM, SPACE, 64)
    values = [function(point["weight"] < 0.01, point["factor"] < 0.5) for point in points]
    trials: list[FrozenTrial] = [
        optuna.trial.create_trial(params=point, distributions=DISTRIBUTIONS, value=value)
        for point, value in zip(points, values, strict=True)
    ]
    return shares(trials, values, seed=0)


def test_two_additive_parameters_explain_half_each() -> None:
    found = shares_of(lambda low, few: float(low) + float(few))
    assert found == {"weight": pytest.approx(0.5, abs=0.05), "factor": pytest.approx(0.5, abs=0.05)}


def test_shares_grow_with_the_square_of_the_effect() -> None:
    found = shares_of(lambda low, few: 2.0 * low + float(few))
    assert found == {"weight": pytest.approx(0.8, abs=0.05), "factor": pytest.approx(0.2, abs=0.05)}


def test_interactions_belong_to_no_single_parameter() -> None:
    found = shares_of(lambda low, few: float(low != few))
    assert sum(found.values()) < 0.25


def test_nothing_varies() -> None:
    assert shares_of(lambda low, few: 3.0) == {}
