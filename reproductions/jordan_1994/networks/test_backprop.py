"""The network against autograd and torch's own tanh."""

import pytest
import torch

from reproductions.jordan_1994.networks.backprop import Network
from reproductions.jordan_1994.networks.testing import SEEDS, cases


def test_the_gradient_of_a_network_is_that_of_autograd() -> None:
    x_DT, target_CT = cases()
    network = Network(5)
    weights = network.init(SEEDS, 3, 2)
    for of in weights:
        of.requires_grad_()
    hidden_SHT = (weights.hidden_SHD @ x_DT).tanh()
    miss_SCT = weights.output_SCH @ hidden_SHT + weights.constant_SC1 - target_CT
    expected = torch.autograd.grad(miss_SCT.square().sum(1).mean(1).sum() / 2, weights)
    with torch.no_grad():
        found = network.gradient(weights, x_DT, target_CT)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_hidden_units_are_tanh() -> None:
    x_DT, _ = cases()
    network = Network(5)
    weights = network.init(SEEDS, 3, 2)
    expected = weights.output_SCH @ (weights.hidden_SHD @ x_DT).tanh() + weights.constant_SC1
    torch.testing.assert_close(network.predict(weights, x_DT), expected)


def test_a_network_without_hidden_units_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^hidden=0: a network needs at least 1 hidden unit$"):
        Network(0)
