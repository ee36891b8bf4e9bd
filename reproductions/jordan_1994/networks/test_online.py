"""Recursive least squares: against least squares, one case by hand, the weight of old cases."""

import pytest
import torch

from reproductions.jordan_1994.networks.online import Recursive, recurse
from reproductions.jordan_1994.networks.testing import SEEDS, cases, draw, grown
from reproductions.jordan_1994.networks.tree import Hierarchy, Tree


def test_recursive_least_squares_equals_weighted_least_squares() -> None:
    x_TD, y_T, h_T, decay = draw(12, 3), draw(12, seed=1), draw(12, seed=2).sigmoid(), 0.9
    inverse_SUDD = torch.eye(3).double()[None, None] * 2.0
    weight_D = torch.zeros(3).double()
    for x_D, y, h in zip(x_TD, y_T, h_T, strict=True):
        gain_SUD = recurse(inverse_SUDD, h[None, None], x_D[None, :, None], decay)
        weight_D = weight_D + (y - weight_D @ x_D) * gain_SUD[0, 0]
    count_T = h_T * decay ** torch.arange(11, -1, -1)
    moment = (x_TD * count_T[:, None]).T @ x_TD + decay**12 / 2 * torch.eye(3).double()
    expected = torch.linalg.solve(moment, x_TD.T @ (count_T * y_T))
    torch.testing.assert_close(weight_D, expected)
    torch.testing.assert_close(inverse_SUDD[0, 0], moment.inverse())


def test_lambda_moves_towards_one_every_thousand_cases() -> None:
    learner = Recursive(Tree(1), Tree(1).init([0], 0.5, 1, 1), [0])
    found = []
    for learner.seen in (0, 999, 1000, 2000, 100_000):
        found.append(learner.decay)
    assert found == pytest.approx([0.99, 0.99, 0.996, 0.9984, 1.0])


def test_one_case_by_hand() -> None:
    # The first inverse moments are the identity, so a gain is h x / (lambda + h x.x).
    tree, start = Tree(2), grown(2, 0.1)
    x_D1, target_C1 = cases(1)
    found = tree.explain(start, x_D1, target_C1)
    learner = Recursive(tree, Hierarchy(*(of.clone() for of in start)), SEEDS)
    learner.epoch(x_D1, target_C1)
    square = x_D1.square().sum()

    h_SE11 = found.posterior_SET[..., None]
    step_SECD = h_SE11 * found.miss_SECT * x_D1[:, 0] / (0.99 + h_SE11 * square)
    torch.testing.assert_close(learner.weights.expert_SECD, start.expert_SECD + step_SECD)
    mass_SG1 = found.left_SGT + found.right_SGT
    miss_SG1 = (found.left_SGT / found.right_SGT).log() - start.gate_SGD @ x_D1
    step_SGD = mass_SG1 * miss_SG1 * x_D1[:, 0] / (0.99 + mass_SG1 * square)
    torch.testing.assert_close(learner.weights.gate_SGD, start.gate_SGD + step_SGD)
    h_SE, squared_SE = found.posterior_SET[..., 0], found.miss_SECT.square().mean((2, 3))
    variance_SE = (0.99 * start.log_variance_SE.exp() + h_SE * squared_SE) / (0.99 + h_SE)
    torch.testing.assert_close(learner.weights.log_variance_SE.exp(), variance_SE)


def test_one_expert_online_ends_near_linear_regression() -> None:
    train = cases(150)
    learner = Recursive(Tree(0), Tree(0).init(SEEDS, 0.5, 3, 2), SEEDS)
    learner.epoch(*train)
    learner.epoch(*train)
    solution = torch.linalg.lstsq(train.x_DT.T, train.target_CT.T).solution.T
    torch.testing.assert_close(learner.weights.expert_SECD[0, 0], solution, atol=0.06, rtol=0)
    assert learner.seen == 300
