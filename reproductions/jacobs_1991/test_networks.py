"""The 1991 systems: errors and gradients by hand and by autograd, one update, costs, refusals."""

from collections.abc import Callable
from math import exp, log
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from reproductions.jacobs_1991.networks import (
    ERRORS,
    BackProp,
    Competitive,
    Cooperative,
    Likelihood,
    Mixture,
)
from reproductions.jacobs_1991.networks.errors import Error, Mixed, mix
from reproductions.jacobs_1991.networks.mixture import gate_entropy
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    accuracy,
    descend,
    mean_squared_error,
    prepare,
)

S, E, T, F = 3, 4, 21, 2  # systems side by side, experts, cases, input features
SYSTEMS = {
    **{name: lambda error=error: Mixture(E, error()) for name, error in ERRORS.items()},
    "one expert": lambda: Mixture(1, Likelihood()),
    "backprop": lambda: BackProp(5),
}


def draw(outputs: int) -> tuple[Mixed, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((S, E, outputs, T), (S, E, T), (outputs, T))
    output, score, target = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    return mix(output, score), target


def cases_with(outputs: int, features: int = F) -> Cases:
    generator = torch.Generator().manual_seed(1)
    x_TD = torch.randn(T, features, generator=generator, dtype=torch.float64)
    target_TC = torch.rand(T, outputs, generator=generator).round().double()
    return prepare(x_TD, target_TC)


def deviation(error: Error, outputs: int) -> float:
    """Largest difference between an error's own gradients and autograd's."""
    mixed, target_CT = draw(outputs)
    leaves = [mixed.output_SECT.requires_grad_(), mixed.score_SET.requires_grad_()]
    expected = torch.autograd.grad(error.value(mix(*leaves), target_CT).sum(), leaves)
    with torch.no_grad():
        found = error.gradients(mix(*leaves), target_CT)
    return max((a - b).abs().max().item() for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_gradients_are_autograds(error: Callable[[], Error], outputs: int) -> None:
    assert deviation(error(), outputs) < 1e-10


class FurtherTerm:
    """The competitive error with a gradient that is told of it, and wrong."""

    def value(self, mixed: Mixed, target_CT: Tensor) -> Tensor:
        return Competitive().value(mixed, target_CT)

    def gradients(self, mixed: Mixed, target_CT: Tensor) -> tuple[Tensor, Tensor]:
        to_output_SECT, to_score_SET = Competitive().gradients(mixed, target_CT)
        others_SET = mixed.gate_SET.sum(dim=1, keepdim=True) - mixed.gate_SET
        miss_SECT = mixed.output_SECT - target_CT
        return to_output_SECT + 2 * others_SET[:, :, None] * miss_SECT, to_score_SET


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_further_term_is_not_the_gradient(outputs: int) -> None:
    assert deviation(FurtherTerm(), outputs) > 0.1
    # The sum over the other experts leaves 2 (o_k - d): the gate is gone.
    mixed, target_CT = draw(outputs)
    to_output_SECT, _ = FurtherTerm().gradients(mixed, target_CT)
    torch.testing.assert_close(to_output_SECT, 2 * (mixed.output_SECT - target_CT))


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


def test_gradients_leave_the_answers_alone() -> None:
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


def test_an_expert_far_off_keeps_a_finite_likelihood() -> None:
    output_SECT = torch.full((1, 2, 1, 1), 1e3, dtype=torch.float64)
    mixed = mix(output_SECT, torch.tensor([[[0.0], [2000.0]]], dtype=torch.float64))
    target_CT = torch.zeros(1, 1, dtype=torch.float64)
    assert Likelihood().value(mixed, target_CT).item() == pytest.approx(5e5)
    assert all(part.isfinite().all() for part in Likelihood().gradients(mixed, target_CT))


def mean_error(system: System, answer: Any, cases: Cases) -> Tensor:
    """What a system descends, averaged over the cases."""
    if isinstance(system, Mixture):
        value_ST = system.error.value(answer, cases.target_CT)
    else:
        value_ST = (answer.blend_SCT - cases.target_CT).square().sum(dim=1) / 2
    return (value_ST * cases.share_T).sum(dim=-1)


@pytest.mark.parametrize("features", [1, 4])
@pytest.mark.parametrize("outputs", [1, 4])
@pytest.mark.parametrize("make", SYSTEMS.values(), ids=SYSTEMS)
def test_gradients_of_weights_are_autograds(
    make: Callable[[], System], outputs: int, features: int
) -> None:
    system, cases = make(), cases_with(outputs, features)
    weights = system.init(range(S), 1.0, features, outputs)
    if "gate" in weights:
        weights["gate"] = torch.randn_like(weights["gate"])
    leaves = [weight.requires_grad_() for weight in weights.values()]
    value = mean_error(system, system.forward(weights, cases.x_DT), cases).sum()
    expected = dict(zip(weights, torch.autograd.grad(value, leaves), strict=True))
    with torch.no_grad():
        found = system.gradient(weights, system.forward(weights, cases.x_DT), cases)
    assert found.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], atol=1e-10, rtol=0)


def test_a_mixture_by_hand() -> None:
    # One input of 2; logits log 3 x 2 - log 3 = log 3 and -log 3: answers 3/4 and 1/4. The gate's
    # scores are log 9 and 0: shares 9/10 and 1/10.
    weights = {
        "expert": torch.tensor([[[[log(3), -log(3)]], [[0.0, -log(3)]]]], dtype=torch.float64),
        "gate": torch.tensor([[[log(3), 0.0], [0.0, 0.0]]], dtype=torch.float64),
    }
    cases = prepare(torch.tensor([[2.0]]), torch.tensor([[1.0]]))
    system = Mixture(2, Competitive())
    mixed = system.forward(weights, cases.x_DT)
    assert mixed.output_SECT[0, :, 0, 0].tolist() == pytest.approx([0.75, 0.25])
    assert mixed.gate_SET[0, :, 0].tolist() == pytest.approx([0.9, 0.1])
    assert mixed.blend_SCT[0, 0, 0].item() == pytest.approx(0.7)
    assert mean_squared_error(mixed.blend_SCT, cases).item() == pytest.approx(0.09)
    # By the first answer -2 x 0.9 x 1/4, times 3/4 x 1/4 by its logit, times the input.
    gradient = system.gradient(weights, mixed, cases)
    to_logit = -2 * 0.9 * 0.25 * 0.75 * 0.25
    assert gradient["expert"][0, 0, 0].tolist() == pytest.approx([to_logit * 2, to_logit])
    # By the scores: 0.9 x (1/16 - (0.9 x 1/16 + 0.1 x 9/16)) = -0.045 and its opposite.
    assert gradient["gate"][0].flatten().tolist() == pytest.approx([-0.09, -0.045, 0.09, 0.045])
    descend(weights, gradient, torch.tensor([10.0]))
    assert weights["gate"][0, 0].tolist() == pytest.approx([log(3) + 0.9, 0.45])
    assert weights["expert"][0, 0, 0, 1].item() == pytest.approx(-log(3) - 10 * to_logit)


def test_a_network_by_hand() -> None:
    # The hidden unit answers 1/2, the output's logit is 2 log 3 x 1/2.
    weights = {
        "hidden": torch.tensor([[[0.0, 0.0]]], dtype=torch.float64),
        "output": torch.tensor([[[2 * log(3), 0.0]]], dtype=torch.float64),
    }
    cases = prepare(torch.tensor([[2.0]]), torch.tensor([[1.0]]))
    system = BackProp(1)
    layers = system.forward(weights, cases.x_DT)
    assert layers.blend_SCT[0, 0, 0].item() == pytest.approx(0.75)
    gradient = system.gradient(weights, layers, cases)
    to_logit = -0.25 * 0.75 * 0.25
    assert gradient["output"].flatten().tolist() == pytest.approx([to_logit / 2, to_logit])
    back = to_logit * 2 * log(3) * 0.25
    assert gradient["hidden"].flatten().tolist() == pytest.approx([back * 2, back])


def test_padding_counts_nothing() -> None:
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


def test_starting_weights_are_the_seeds_own() -> None:
    for make in SYSTEMS.values():
        many = make().init(range(10, 20), 0.3, F, 1)
        alone = make().init([14], 0.3, F, 1)
        for name, weight in many.items():
            assert torch.equal(weight[4:5], alone[name])
            assert weight.dtype == torch.float64
            assert weight.abs().max() <= 0.3
            assert name == "gate" or weight.unique(dim=0).shape == weight.shape
    drawn = BackProp(400).init([0], 0.3, F, 1)["hidden"]
    assert drawn.min() < -0.29
    assert drawn.max() > 0.29
    assert abs(drawn.mean()) < 0.02


def test_the_gate_starts_at_equal_shares() -> None:
    mixed = Mixture(E, Likelihood()).forward(
        Mixture(E, Likelihood()).init([0], 0.5, F, 1), cases_with(1).x_DT
    )
    assert mixed.gate_SET.eq(1 / E).all()


def test_use_of_experts_by_hand() -> None:
    # Three cases: shares 0.94 0.06 0, then 1 0 0, then 1 0 0. Two experts are in use.
    gate_SET = torch.tensor([[[0.94, 1.0, 1.0], [0.06, 0.0, 0.0], [0.0, 0.0, 0.0]]]).double()
    mixed = Mixed(gate_SET[:, :, None], gate_SET, gate_SET, gate_SET[:, :1])
    share_T = torch.full((3,), 1 / 3, dtype=torch.float64)
    usage = Mixture(3, Likelihood()).usage(mixed, share_T)
    entropy = -0.94 * log(0.94) - 0.06 * log(0.06)
    assert usage["active"].tolist() == [2.0]
    assert usage["effective"].tolist() == pytest.approx([(exp(entropy) + 2) / 3])
    assert gate_entropy(torch.full((1, 4, 1), 0.25)).item() == pytest.approx(log(4))
    # What stands in the padding is nobody's case.
    hidden = Mixture(3, Likelihood()).usage(mixed, torch.tensor([0.0, 0.5, 0.5]))
    assert hidden["active"].tolist() == [1.0]
    assert BackProp(2).usage(mixed, share_T) == {}


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


def test_refusals() -> None:
    with pytest.raises(ValueError, match="experts=0: a mixture needs at least 1"):
        Mixture(0, Cooperative())
    with pytest.raises(ValueError, match="hidden=0: a network needs at least 1 hidden unit"):
        BackProp(0)
