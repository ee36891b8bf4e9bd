"""Gumbel-softmax routing, soft and hard, checkable with a pencil."""

import math

import pytest
import torch
from torch import Tensor

from moebench.moe.routers import GumbelSoftmax, HardGumbelSoftmax

from .fakes import PROBS_TE, X_TD, assert_shares, by_tokens, rows, with_identity

HALVING = math.log(2)  # rate at which a temperature halves with every step


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all Gumbel noise zero: the logarithm of one."""
    monkeypatch.setattr(Tensor, "exponential_", lambda self: self.fill_(1.0))


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
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
