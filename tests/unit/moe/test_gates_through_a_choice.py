"""Worked examples of the routers that let a gradient through a choice, checkable with a pencil."""

import math

import pytest
import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.routers import (
    GumbelSoftmax,
    HardGumbelSoftmax,
    Reinforce,
    StraightThrough,
)
from moebench.moe.routers.reinforce import surrogate

from .fakes import PROBS_TE, X_TD, rows, with_identity

HALVING = math.log(2)  # rate at which a temperature halves with every step


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all Gumbel noise zero: the logarithm of one."""
    monkeypatch.setattr(Tensor, "exponential_", lambda self: self.fill_(1.0))


def by_tokens(router: nn.Module, x_TD: Tensor, answer_A: list[float]) -> Tensor:
    """Return the gradient of sum(answer x weight) by the tokens, which are their own scores."""
    x_TD = x_TD.clone().requires_grad_()
    (router(x_TD).weight_A * torch.tensor(answer_A)).sum().backward()
    assert x_TD.grad is not None
    return x_TD.grad


def test_straight_through_chooses_hard_and_learns_from_the_probability() -> None:
    router = with_identity(StraightThrough(3, 3))
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]
    # d p_2 / d s_2 = 5/8 x 3/8, and - 5/8 x 1/8 and - 5/8 x 2/8 by the others: as Switch.
    expected = torch.tensor([[-5 / 64, -10 / 64, 15 / 64]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [1.0]), expected)


def test_straight_through_compares_all_answers_if_all_are_given() -> None:
    router = with_identity(StraightThrough(3, 3, answering=3))
    assert rows(router(X_TD[:1])) == [(0, 2, 1.0), (0, 1, 0.0), (0, 0, 0.0)]
    # The answer of expert 0, last in the row, alone: p_0 (1 - p_0), - p_0 p_1, - p_0 p_2.
    expected = torch.tensor([[7 / 64, -2 / 64, -5 / 64]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [0.0, 0.0, 1.0]), expected)
    assert rows(router.eval()(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]


def test_straight_through_draws_its_expert_in_training_only() -> None:
    router = with_identity(StraightThrough(3, 3, sampled=True))
    assert_shares(router)
    assert set(router.eval()(X_TD[:1].expand(99, 3)).expert_A.tolist()) == {2}


def assert_shares(router: nn.Module) -> None:
    """Assert that 8000 draws for the first token follow its probabilities."""
    torch.manual_seed(0)
    decision = router.train()(X_TD[:1].expand(8000, 3))
    share_E = decision.expert_A.bincount(minlength=3) / 8000
    # Three standard errors of a share of 5/8 in 8000 draws are 0.016.
    torch.testing.assert_close(share_E, PROBS_TE[0], atol=0.017, rtol=0)
    assert set(decision.weight_A.tolist()) == {1.0}


@pytest.mark.usefixtures("quiet")
def test_gumbel_softmax_mixes_all_in_training_and_picks_one_outside_it() -> None:
    router = with_identity(GumbelSoftmax(3, 3))
    assert rows(router(X_TD[:1])) == [(0, 2, 0.625), (0, 1, 0.25), (0, 0, 0.125)]
    # At a temperature of one half the odds 1 : 2 : 5 become 1 : 4 : 25.
    cold = with_identity(GumbelSoftmax(3, 3, temperature=0.5))
    thirtieths = [round(value / 30, 6) for value in (25, 4, 1)]
    assert rows(cold(X_TD[:1])) == list(zip([0] * 3, [2, 1, 0], thirtieths, strict=True))
    torch.testing.assert_close(cold(X_TD).probs_TE, PROBS_TE)  # those of a temperature of one
    assert rows(cold.eval()(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]


@pytest.mark.usefixtures("quiet")
def test_hard_gumbel_softmax_has_the_gradient_of_the_soft_one() -> None:
    router = with_identity(HardGumbelSoftmax(3, 3, temperature=0.5))
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]
    # Softmax of twice the scores, 1/30, 4/30, 25/30; the factor 2 is one over the temperature.
    expected = 2 * 25 / 900 * torch.tensor([[-1.0, -4.0, 5.0]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [1.0]), expected)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_hard_gumbel_softmax_draws_from_the_softmax_at_any_temperature(temperature: float) -> None:
    assert_shares(with_identity(HardGumbelSoftmax(3, 3, temperature=temperature)))


@pytest.mark.parametrize("kind", [GumbelSoftmax, HardGumbelSoftmax])
@pytest.mark.usefixtures("quiet")
def test_the_temperature_falls_with_the_steps_down_to_the_lowest(kind: type) -> None:
    router = with_identity(kind(3, 3, temperature=1.0, lowest=0.3, rate=HALVING))
    found = []
    for _ in range(4):
        found.append(float(router.gumbel.now()))
        router.update([router(X_TD)])
    assert found == pytest.approx([1.0, 0.5, 0.3, 0.3])
    restored = kind(3, 3, temperature=1.0, lowest=0.3, rate=HALVING)
    restored.load_state_dict(router.state_dict())
    assert int(restored.gumbel.step) == 4, "a checkpoint keeps the step"


def test_noise_is_that_of_a_gumbel_distribution() -> None:
    # Its mean is Euler's constant, its variance pi^2 / 6; standard errors at 40000 draws: 0.0064
    # and 0.017 (kurtosis 5.4). The difference of two scores' noise is logistic, so that the first
    # of two equal ones wins half the time.
    torch.manual_seed(0)
    gumbel = GumbelSoftmax(1, 2, temperature=1.0).gumbel
    soft_TE = gumbel(torch.zeros(40000, 2))
    logit_T = (soft_TE[:, 0] / soft_TE[:, 1]).log()
    assert float(logit_T.mean()) == pytest.approx(0, abs=0.03)
    assert float(logit_T.var()) == pytest.approx(math.pi**2 / 3, abs=0.1)


def test_reinforce_compares_a_token_with_the_others() -> None:
    router = with_identity(Reinforce(3, 3)).eval()  # which picks experts 2 and 0
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]
    # Changes of the loss of 3 and 1: each less the other's, 2 and -2, times one-hot minus p.
    expected = torch.tensor([[-0.25, -0.5, 0.75], [-0.8, 0.6, 0.2]])
    torch.testing.assert_close(by_tokens(router, X_TD, [3.0, 1.0]), expected)
    alone = with_identity(Reinforce(3, 3, baseline=False)).eval()
    scaled = expected * torch.tensor([[3 / 2], [-1 / 2]])
    torch.testing.assert_close(by_tokens(alone, X_TD, [3.0, 1.0]), scaled)
    single = torch.tensor([[-3 / 8, -6 / 8, 9 / 8]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [3.0]), single)


def test_reinforce_draws_its_expert_in_training_only() -> None:
    router = with_identity(Reinforce(3, 3))
    assert_shares(router)
    assert set(router.eval()(X_TD[:1].expand(99, 3)).expert_A.tolist()) == {2}


@pytest.mark.parametrize(("baseline", "factor"), [(True, (1.0, 1.0)), (False, (1.5, -0.5))])
def test_surrogate_takes_the_whole_loss(baseline: bool, factor: tuple[float, float]) -> None:
    x_TD = X_TD.clone().requires_grad_()
    decision: RoutingDecision = with_identity(Reinforce(3, 3)).eval()(x_TD)
    surrogate(decision, torch.tensor([3.0, 1.0]), baseline).backward()
    # As above, over two tokens.
    expected = torch.tensor([[-0.25, -0.5, 0.75], [-0.8, 0.6, 0.2]]) / 2
    torch.testing.assert_close(x_TD.grad, expected * torch.tensor(factor)[:, None])


def test_surrogate_without_tokens_is_zero() -> None:
    decision = Reinforce(3, 3)(X_TD[:0])
    assert surrogate(decision, torch.zeros(0)).item() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StraightThrough(3, 3, answering=4), "answering=4: must lie between 1 and num_e"),
        (lambda: HardGumbelSoftmax(3, 3, answering=0), "answering=0: must lie between 1 and num_e"),
        (lambda: GumbelSoftmax(3, 3, temperature=0.0), "temperature=0.0: must be above 0"),
        (lambda: HardGumbelSoftmax(3, 3, temperature=-1.0), "temperature=-1.0: must be above 0"),
        (lambda: GumbelSoftmax(3, 3, temperature=math.nan), "temperature=nan: must be above 0"),
        (lambda: GumbelSoftmax(3, 3, lowest=0.0), "lowest=0.0: must lie above 0"),
        (lambda: GumbelSoftmax(3, 3, lowest=2.0), r"lowest=2.0: .* up to temperature=1.0"),
        (lambda: GumbelSoftmax(3, 3, rate=-1.0), "rate=-1.0: must be at least 0 and finite"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
