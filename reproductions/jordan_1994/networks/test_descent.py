"""Gradient descent: rules against torch's own optimisers, and the order of the cases."""

import pytest
import torch
from torch import Tensor

from reproductions.jordan_1994.networks.backprop import Network
from reproductions.jordan_1994.networks.descent import Adam, Descent, Momentum
from reproductions.jordan_1994.networks.testing import SEEDS, double, draw


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_rules_match_those_of_torch(name: str) -> None:
    step_S = double(0.1, 0.02)
    rule = Momentum(step_S, 0.9) if name == "momentum" else Adam(step_S)
    weights = [draw(2, 3), draw(2, 1, 4)]
    theirs = [[of[s].clone().requires_grad_() for of in weights] for s in range(2)]
    optimizers = [
        torch.optim.SGD(theirs[s], step_S[s].item(), momentum=0.9)
        if name == "momentum"
        else torch.optim.Adam(theirs[s], step_S[s].item())
        for s in range(2)
    ]
    for number in range(5):
        gradient = [draw(*of.shape, seed=number) for of in weights]
        rule(weights, gradient)
        for s, optimizer in enumerate(optimizers):
            for of, slope in zip(theirs[s], gradient, strict=True):
                of.grad = slope[s].clone()
            optimizer.step()
    for s in range(2):
        for one, other in zip(weights, theirs[s], strict=True):
            torch.testing.assert_close(one[s], other.detach())


def test_each_case_is_seen_once_per_epoch_in_changing_order() -> None:
    class Recorder:
        seen: list[list[float]]

        def gradient(self, weights: object, x: Tensor, target: Tensor) -> list[Tensor]:
            self.seen += x[:, 0].T.tolist()
            return []

    system = Recorder()
    learner = Descent(system, [], Momentum(double(0.0)), SEEDS, 3)
    orders = []
    for _ in range(2):
        system.seen = []
        learner.epoch(torch.arange(10.0)[None], torch.zeros(1, 10))
        orders += [list(order) for order in zip(*system.seen, strict=True)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4


def test_a_negative_batch_size_is_refused() -> None:
    says = "batch_size=-1: must not be negative; 0 takes all cases"
    with pytest.raises(ValueError, match=f"^{says}$"):
        Descent(Network(), None, Adam(double(0.1)), [0], -1)
