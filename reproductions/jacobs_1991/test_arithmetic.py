"""The errors in numbers, as the claims of section 1 are judged by them."""

import pytest

from reproductions.jacobs_1991.arithmetic import adaptation, gaussian_mixture, gradients


def test_the_gradient_of_the_competitive_error_has_no_further_term() -> None:
    found = gradients()
    assert found["competitive/over_formula"] == pytest.approx(1.0, abs=1e-10)
    assert found["competitive/deviation"] == pytest.approx(0.0, abs=1e-10)
    assert found["further_term/deviation"] > 0.1
    assert found["competitive/coupling"] == 0.0 < 0.1 < found["cooperative/coupling"]


def test_only_the_likelihood_error_adapts_the_best_expert_fastest() -> None:
    assert adaptation() == {
        **{"competitive/best_is_slowest": 1.0, "competitive/best_is_fastest": 0.0},
        **{"likelihood/best_is_slowest": 0.0, "likelihood/best_is_fastest": 1.0},
    }


def test_the_likelihood_error_is_that_of_a_gaussian_mixture() -> None:
    found = gaussian_mixture()
    for what in ("value", "gradient"):
        assert found[f"{what}/over_likelihood"] == pytest.approx(1.0, abs=1e-10)
        assert found[f"{what}/deviation"] == pytest.approx(0.0, abs=1e-10)
