"""The three errors: values and gradients by hand and by autograd."""

from collections.abc import Callable
from math import exp, log

import pytest
import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.errors import ERRORS, Error, Likelihood, Mixed, mix

S, E, T = 3, 4, 21  # systems side by side, experts, cases


def draw(outputs: int) -> tuple[Mixed, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((S, E, outputs, T), (S, E, T), (outputs, T))
    output, score, target = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    return mix(output, score), target


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_gradients_are_autograds(error: Callable[[], Error], outputs: int) -> None:
    mixed, target_CT = draw(outputs)
    leaves = [mixed.output_SECT.requires_grad_(), mixed.score_SET.requires_grad_()]
    expected = torch.autograd.grad(error().value(mix(*leaves), target_CT).sum(), leaves)
    with torch.no_grad():
        found = error().gradients(mix(*leaves), target_CT)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


# Two experts answer 3/4 and 1/4 where 1 is right, under equal shares: the blend is 1/2.
BY_HAND = {
    "cooperative": (0.25, [-0.5, -0.5], [-0.125, 0.125]),
    "competitive": (0.3125, [-0.25, -0.75], [-0.125, 0.125]),
    "likelihood": (
        -log((exp(-1 / 32) + exp(-9 / 32)) / 2),
        # Posterior shares: 1 / (1 + e^(-1/4)) and the rest.
        [-0.25 / (1 + exp(-0.25)), -0.75 / (1 + exp(0.25))],
        [0.5 - 1 / (1 + exp(-0.25)), 0.5 - 1 / (1 + exp(0.25))],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_by_hand(name: str) -> None:
    output_SECT = torch.tensor([0.75, 0.25], dtype=torch.float64).view(1, 2, 1, 1)
    mixed = mix(output_SECT, torch.zeros(1, 2, 1, dtype=torch.float64))
    target_CT = torch.ones(1, 1, dtype=torch.float64)
    value, to_output, to_score = BY_HAND[name]
    error = ERRORS[name]()
    assert error.value(mixed, target_CT).item() == pytest.approx(value)
    found = [part.flatten().tolist() for part in error.gradients(mixed, target_CT)]
    assert found == [pytest.approx(to_output), pytest.approx(to_score)]


def test_gradients_do_not_modify_the_outputs() -> None:
    for outputs in (1, 4):
        mixed, target_CT = draw(outputs)
        before = [part.clone() for part in (*mixed, target_CT)]
        for error in ERRORS.values():
            error().gradients(mixed, target_CT)
        assert all(map(torch.equal, before, (*mixed, target_CT)))


def test_only_the_cooperative_error_couples_the_experts() -> None:
    mixed, target_CT = draw(1)
    moved_SECT = mixed.output_SECT.clone()
    moved_SECT[:, 0] += 1
    moved = mix(moved_SECT, mixed.score_SET)
    change = {
        name: error().gradients(moved, target_CT)[0] - error().gradients(mixed, target_CT)[0]
        for name, error in ERRORS.items()
    }
    assert change["competitive"][:, 1:].abs().max() == 0
    assert change["cooperative"][:, 1:].abs().min() > 0


def test_a_distant_expert_has_a_finite_likelihood() -> None:
    output_SECT = torch.full((1, 2, 1, 1), 1e3, dtype=torch.float64)
    mixed = mix(output_SECT, torch.tensor([[[0.0], [2000.0]]], dtype=torch.float64))
    target_CT = torch.zeros(1, 1, dtype=torch.float64)
    assert Likelihood().value(mixed, target_CT).item() == pytest.approx(5e5)
    assert all(part.isfinite().all() for part in Likelihood().gradients(mixed, target_CT))
