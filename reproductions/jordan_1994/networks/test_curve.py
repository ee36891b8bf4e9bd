"""Curves and ends of runs by hand; every learner learns, independently of others."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from reproductions.jordan_1994.networks import (
    IRLS,
    Adam,
    Cases,
    Descent,
    ExpectationMaximisation,
    Hierarchy,
    LeastSquares,
    Momentum,
    Network,
    Recursive,
    Tree,
    ends,
    learning_curve,
    relative_error,
)
from reproductions.jordan_1994.networks.backprop import Layers
from reproductions.jordan_1994.networks.testing import SEEDS, cases, double


def tree(seeds: Sequence[int]) -> tuple[Tree, Hierarchy]:
    return Tree(2), Tree(2).init(seeds, 0.5, 3, 2)


def network(seeds: Sequence[int]) -> tuple[Network, Layers]:
    return Network(8), Network(8).init(seeds, 3, 2)


def steps(size: float, seeds: Sequence[int]) -> Tensor:
    return torch.full((len(seeds),), size)


LEARNERS = {
    "em": lambda seeds: ExpectationMaximisation(*tree(seeds), IRLS()),
    "least_squares": lambda seeds: ExpectationMaximisation(*tree(seeds), LeastSquares()),
    "recursive": lambda seeds: Recursive(*tree(seeds), seeds),
    "gradient": lambda seeds: Descent(*tree(seeds), Momentum(steps(0.01, seeds)), seeds, 1),
    "network": lambda seeds: Descent(*network(seeds), Momentum(steps(0.1, seeds), 0.15), seeds),
    "adam": lambda seeds: Descent(*network(seeds), Adam(steps(0.01, seeds)), seeds, 16),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_systems_learn_independently_of_each_other(name: str) -> None:
    train = cases(40)
    together, alone = (LEARNERS[name](seeds) for seeds in ([5, 6], [6]))
    before = relative_error(together, train)
    error_NS = learning_curve(together, train, train, range(1, 9))
    assert (error_NS[-1] < 0.7 * before).all()
    assert error_NS[-1, 0] != error_NS[-1, 1]
    expected = learning_curve(alone, train, train, range(1, 9))
    torch.testing.assert_close(error_NS[:, 1:], expected, rtol=1e-5, atol=1e-8)


def test_a_relative_error_by_hand() -> None:
    class Half:
        def predict(self, x_DT: Tensor) -> Tensor:
            return torch.stack([x_DT[:1] / 2, x_DT[:1] * 0])

    found = relative_error(Half(), Cases(double([2.0, -2.0]), double([2.0, -2.0])))
    assert found.tolist() == [0.25, 1.0]


def test_ends_of_runs_by_hand() -> None:
    nan = float("nan")
    error_NS = double(
        [0.50, 0.9, 0.2, nan, 0.300, 0.5],
        [0.21, 0.8, 0.1, nan, 0.300, 0.4],
        [0.20, 0.7, nan, nan, 0.301, 0.3],
        [0.30, 0.6, nan, nan, 0.300, 0.2],
    )
    found = ends(error_NS, linear=0.3, every=10)
    assert found.error_S.tolist() == [0.2, 0.6, 0.1, float("inf"), 0.3, 0.2]
    assert found.epochs_S.tolist() == [20, 40, 20, 10, 10, 40]
    assert found.failed_S.tolist() == [False, True, True, True, False, False]
    assert found.falling_S.tolist() == [False, True, False, False, False, True]


def test_a_curve_is_measured_at_intervals() -> None:
    train = cases()
    learner = LEARNERS["network"](SEEDS)
    every = learning_curve(LEARNERS["network"](SEEDS), train, train, range(1, 7))
    some = learning_curve(learner, train, train, range(1, 7), every=3)
    torch.testing.assert_close(some, every[[2, 5]])
