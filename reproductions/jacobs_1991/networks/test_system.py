"""What all systems must satisfy: gradients, initial weights, costs; errors with padding."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from reproductions.jacobs_1991.networks import ERRORS, BackProp, Likelihood, Mixture
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    accuracy,
    mean_squared_error,
    prepare,
    uniform,
)

S, T, F = 3, 21, 2  # systems side by side, cases, input features
SYSTEMS = {
    **{name: Mixture(4, error()) for name, error in ERRORS.items()},
    "one expert": Mixture(1, Likelihood()),
    "backprop": BackProp(5),
}


def cases_with(outputs: int, features: int = F) -> Cases:
    generator = torch.Generator().manual_seed(1)
    x_TD = torch.randn(T, features, generator=generator, dtype=torch.float64)
    target_TC = torch.rand(T, outputs, generator=generator).round().double()
    return prepare(x_TD, target_TC)


def mean_error(system: System, answer: Any, cases: Cases) -> Tensor:
    """The error of a system, averaged over the cases."""
    if isinstance(system, Mixture):
        value_ST = system.error.value(answer, cases.target_CT)
    else:
        value_ST = (answer.blend_SCT - cases.target_CT).square().sum(dim=1) / 2
    return (value_ST * cases.share_T).sum(dim=-1)


@pytest.mark.parametrize("features", [1, 4])
@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_gradients_of_weights_are_autograds(system: System, outputs: int, features: int) -> None:
    cases = cases_with(outputs, features)
    weights = system.init(range(S), 1.0, features, outputs)
    if "gate" in weights:  # which starts at nought
        weights["gate"] = uniform(range(S), 1.0, *weights["gate"].shape[1:])
    leaves = [weight.requires_grad_() for weight in weights.values()]
    value = mean_error(system, system.forward(weights, cases.x_DT), cases).sum()
    expected = dict(zip(weights, torch.autograd.grad(value, leaves), strict=True))
    with torch.no_grad():
        found = system.gradient(weights, system.forward(weights, cases.x_DT), cases)
    assert found.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], atol=1e-10, rtol=0)


def test_padding_does_not_count() -> None:
    cases = cases_with(1)
    assert cases.x_DT.shape == (F + 1, 32)
    assert cases.share_T[:T].tolist() == [1 / T] * T
    assert cases.share_T[T:].eq(0).all()
    assert cases.x_DT[-1].tolist() == [1.0] * T + [0.0] * (32 - T)
    blend_SCT = torch.rand(S, 1, 32, dtype=torch.float64)
    expected = (blend_SCT[..., :T] - cases.target_CT[:, :T]).square().mean(dim=(1, 2))
    torch.testing.assert_close(mean_squared_error(blend_SCT, cases), expected)


def test_accuracy_by_hand() -> None:
    cases = prepare(torch.zeros(4, 1), torch.tensor([[1.0], [0.0], [1.0], [0.0]]))
    blend_SCT = torch.zeros(1, 1, 16)
    blend_SCT[0, 0, :4] = torch.tensor([0.9, 0.4, 0.5, 0.6])  # one half is no vote for 1
    assert accuracy(blend_SCT, cases).tolist() == [0.5]
    assert accuracy(blend_SCT, cases).dtype == torch.float64
    several = prepare(torch.zeros(2, 1), torch.eye(3)[:2])
    blend_SCT = torch.zeros(1, 3, 16)
    blend_SCT[0, :, 0] = torch.tensor([0.3, 0.2, 0.1])
    blend_SCT[0, :, 1] = torch.tensor([0.3, 0.2, 0.1])
    assert accuracy(blend_SCT, several).tolist() == [0.5]


def test_initial_weights_depend_only_on_their_seed() -> None:
    for system in SYSTEMS.values():
        many = system.init(range(10, 20), 0.3, F, 1)
        alone = system.init([14], 0.3, F, 1)
        for name, weight in many.items():
            assert torch.equal(weight[4:5], alone[name])
            assert weight.dtype == torch.float64
            assert weight.abs().max() <= 0.3
            assert name == "gate" or weight.unique(dim=0).shape == weight.shape
    drawn = BackProp(400).init([0], 0.3, F, 1)["hidden"]
    assert drawn.min() < -0.29
    assert drawn.max() > 0.29
    assert abs(drawn.mean()) < 0.02


@pytest.mark.parametrize(
    ("system", "outputs", "weights", "flops"),
    [
        # The paper's sizes, F1 and F2 in: 24 against 25 weights, 48 against 49.
        (Mixture(4, Likelihood()), 1, 24, 48),
        (Mixture(8, Likelihood()), 1, 48, 96),
        (BackProp(6), 1, 25, 48),
        (BackProp(12), 1, 49, 96),
        (Mixture(4, Likelihood()), 4, 60, 120),
        (BackProp(6), 4, 46, 84),
    ],
)
def test_costs_are_those_of_real_weights(
    system: System, outputs: int, weights: int, flops: int
) -> None:
    cases = cases_with(outputs)
    real = system.init([0], 0.5, F, outputs)
    assert system.parameters(F, outputs) == sum(w.numel() for w in real.values()) == weights
    with FlopCounterMode(display=False) as counter:
        system.forward(real, cases.x_DT)
    assert system.flops(F, outputs) == counter.get_total_flops() / cases.x_DT.shape[1] == flops
