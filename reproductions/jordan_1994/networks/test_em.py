"""EM: regressions by hand and against least squares, and a likelihood that never falls."""

from math import log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reproductions.jordan_1994.networks.curve import Cases, learning_curve
from reproductions.jordan_1994.networks.em import (
    IRLS,
    ExpectationMaximisation,
    LeastSquares,
    Products,
    refit_experts,
)
from reproductions.jordan_1994.networks.testing import SEEDS, cases, double, draw, grown
from reproductions.jordan_1994.networks.tree import Explanation, Tree


def test_one_expert_is_linear_regression_after_one_epoch() -> None:
    tree = Tree(0)
    train = cases()
    learner = ExpectationMaximisation(tree, tree.init(SEEDS, 0.5, 3, 2), IRLS())
    learner.epoch(*train)
    solution = torch.linalg.lstsq(train.x_DT.T, train.target_CT.T).solution.T
    torch.testing.assert_close(learner.weights.expert_SECD[0, 0], solution)
    squared = (solution @ train.x_DT - train.target_CT).square().mean()
    torch.testing.assert_close(learner.weights.log_variance_SE[0, 0].exp(), squared)


def test_experts_are_refitted_by_weighted_least_squares() -> None:
    tree, weights, (x_DT, target_CT) = Tree(2), grown(2), cases()
    posterior_SET = tree.explain(weights, x_DT, target_CT).posterior_SET
    found = refit_experts(weights, posterior_SET, Products.of(x_DT, target_CT))
    for expert in range(4):
        h_T = posterior_SET[1, expert]
        solution = torch.linalg.lstsq((x_DT * h_T.sqrt()).T, (target_CT * h_T.sqrt()).T).solution
        torch.testing.assert_close(found.expert_SECD[1, expert], solution.T, rtol=1e-6, atol=1e-8)
        squared_T = (solution.T @ x_DT - target_CT).square().mean(0)
        torch.testing.assert_close(
            found.log_variance_SE[1, expert].exp(), (h_T * squared_T).sum() / h_T.sum()
        )


def test_an_expert_without_cases_does_not_change() -> None:
    weights, (x_DT, target_CT) = grown(1), cases()
    posterior_SET = torch.zeros(2, 2, 40).double()
    posterior_SET[:, 0] = 1
    found = refit_experts(weights, posterior_SET, Products.of(x_DT, target_CT))
    torch.testing.assert_close(found.expert_SECD[:, 1], weights.expert_SECD[:, 1])
    torch.testing.assert_close(found.log_variance_SE[:, 1], weights.log_variance_SE[:, 1])


def shares(*left: float) -> Explanation:
    """The responsibilities of two experts, case by case."""
    left_T = double(*left)
    nothing = torch.zeros(1, 1, len(left)).double()
    return Explanation(nothing[0], nothing, left_T[None, None], 1 - left_T[None, None], nothing)


def test_a_gate_without_inputs_by_hand() -> None:
    # Logistic regression finds the log odds of the mean, 2/3 : 1/3; least squares the mean of the
    # log odds, of 1/2, 3/4 and 3/4.
    constant = Products.of(torch.ones(1, 3).double(), torch.zeros(1, 3).double())
    found, start = shares(0.5, 0.75, 0.75), double([[0.0]])
    assert IRLS()(start, found, constant).item() == pytest.approx(log(2))
    assert LeastSquares()(start, found, constant).item() == pytest.approx(2 / 3 * log(3))


def test_a_gates_regression_is_weighted_by_its_subtrees_share() -> None:
    constant = Products.of(torch.ones(1, 2).double(), torch.zeros(1, 2).double())
    found = shares(0.5, 0.1)._replace(right_SGT=double([[0.5, 0.1 / 3]]))
    start = double([[0.0]])
    weight = 0.1 + 0.1 / 3
    expected = weight * log(3) / (1 + weight)
    assert LeastSquares()(start, found, constant).item() == pytest.approx(expected)
    assert IRLS()(start, found, constant).item() == pytest.approx(log(0.6 / (0.5 + 0.1 / 3)))


def test_newton_steps_reach_the_maximum_from_far_away() -> None:
    tree, weights, (x_DT, target_CT) = Tree(2), grown(2), cases()
    found = tree.explain(weights, x_DT, target_CT)
    far_SGD = 5 * draw(2, 3, 4, seed=9)
    gate_SGD = IRLS(passes=50)(far_SGD, found, Products.of(x_DT, target_CT))
    slope_SGT = found.left_SGT - (gate_SGD @ x_DT).sigmoid() * (found.left_SGT + found.right_SGT)
    assert (slope_SGT @ x_DT.T).abs().max() < 1e-3


def lowered(gates: IRLS | LeastSquares, depth: int, spread: float, seed: int) -> float:
    """The largest decrease of the log likelihood per case in any of 15 epochs."""
    tree, train = Tree(depth), cases(40, seed=seed)
    learner = ExpectationMaximisation(tree, tree.init([seed, seed + 1], spread, 3, 2), gates)
    values = []
    for _ in range(15):
        values.append(tree.explain(learner.weights, *train).log_likelihood_ST.mean(1))
        learner.epoch(*train)
    return -torch.stack(values).diff(dim=0).min().item()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 4), st.sampled_from([0.01, 0.5, 3.0]), st.integers(0, 99))
def test_em_never_lowers_the_likelihood(depth: int, spread: float, seed: int) -> None:
    assert lowered(IRLS(), depth, spread, seed) < 1e-9


def test_algorithm_two_sometimes_lowers_it() -> None:
    assert max(lowered(LeastSquares(), 3, 0.5, seed) for seed in range(5)) > 1e-3


@pytest.mark.parametrize("gates", [IRLS(), LeastSquares()])
def test_two_experts_find_both_parts_of_a_bent_line(gates: IRLS | LeastSquares) -> None:
    x_TD = torch.linspace(-1, 1, 101).double()[:, None]
    bent = Cases.of(x_TD, x_TD.abs())
    tree = Tree(1)
    learner = ExpectationMaximisation(tree, tree.init(range(5), 0.5, 1, 1), gates)
    learning_curve(learner, bent, bent, range(1, 61))
    slopes = learner.weights.expert_SECD[:, :, 0, 0].sort(dim=1).values
    torch.testing.assert_close(slopes, double(*[[-1.0, 1.0]] * 5), atol=0.05, rtol=0)


def test_zero_newton_steps_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^passes=0: must be at least 1$"):
        IRLS(0)
